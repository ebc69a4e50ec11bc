"""Opening files from outside with care: text, archives, XML and workbooks. Knows nothing of what the files hold.

Every reader of the workbench starts here, so that each rule about encodings, delimiters, missing cells, dates and
dangerous files stands in one place. Nothing is typed by guess: cells come as text and are typed by ``values``.
"""
