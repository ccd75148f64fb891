/// Of the program, as files and reports bear it.
public let programVersion = "0.1.0"
