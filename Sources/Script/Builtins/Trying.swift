let attemptBuiltin = Builtin(
  "attempt",
  "Calls a function and returns its value, or the text of the error that stopped it. An interruption is not caught.",
  parameters: [Parameter("function", .function, "Function without parameters.")],
  result: .recordOf(["value": .any, "error": .optional(.string)]),
  examples: [
    Example("attempt(() => 1 / 0)", gives: #"{ value: none, error: "division by zero" }"#),
    Example("attempt(() => 6 / 2).value", gives: "3"),
  ], chapter: "Basics"
) { arguments in
  let function = try arguments.function("function")
  do throws(ScriptError) {
    return .record(["value": try arguments.context.call(function, []), "error": .none])
  } catch {
    if case .interrupted = error { throw error }
    try arguments.context.checkInterruption()
    return .record(["value": .none, "error": .string(error.diagnostic.title)])
  }
}

let timeBuiltin = Builtin(
  "time", "Calls a function and returns its value and how many seconds it took.",
  parameters: [Parameter("function", .function, "Function without parameters.")],
  result: .recordOf(["value": .any, "seconds": .number]),
  examples: [Example("time(() => sum(1...1000)).value", gives: "500500")], chapter: "Basics"
) { arguments in
  let function = try arguments.function("function")
  let begun = ContinuousClock.now
  let value = try arguments.context.call(function, [])
  return .record(["value": value, "seconds": .number((ContinuousClock.now - begun) / .seconds(1))])
}
