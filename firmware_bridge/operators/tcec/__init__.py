"""T/CEC 102 (中电联互联互通), of which we are a platform that asks and is told.

envelope: keys, encryption, signature; words: status codes; line: one question with its token; platform: stations and
statuses asked; receiver: what he says to us.
"""
