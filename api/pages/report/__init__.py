"""The monthly report of a station: `gather` asks, `words` has the languages, `draw` the pictures, `page` the paper."""
