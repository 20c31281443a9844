"""What devices on a bus speak, frame by frame. Which protocol a bus has is `firmware_bridge.protocols`."""
