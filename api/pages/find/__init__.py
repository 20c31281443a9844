"""The page /m without a station: which one to go to. Written by the server, so it is whole without script.

`needs` is what one may look for, `ranking` who comes first, `page` the words.
"""
