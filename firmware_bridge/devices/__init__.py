"""One file per device protocol. `table.build` knows them all and loads only what is asked for."""
