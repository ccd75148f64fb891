public import Script

/// What the notebook adds to the language, in the order of the reference.
public let notebookBuiltins: [Builtin] = []
