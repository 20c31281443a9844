"""What a purchaser or assessor asks, with the evidence of this installation: `yizhan compliance`."""
