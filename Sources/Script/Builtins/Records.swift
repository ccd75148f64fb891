let keysBuiltin = Builtin(
  "keys", "Returns the field names of a record or an object.",
  parameters: [Parameter("record", .any, "A record or an object.")], result: .list(of: .string),
  examples: [Example("keys({ lr: 0.1, epochs: 8 })", gives: #"["lr", "epochs"]"#)], chapter: "Records"
) { arguments in
  switch arguments.value("record") {
  case .record(let record): return .list(record.names)
  case .object(let object): return .list(object.fieldNames)
  case let other:
    throw ScriptError.wrongType(
      what: "record", expected: .record, found: other.typeName, at: arguments.span(of: "record"))
  }
}

let valuesBuiltin = Builtin(
  "values", "Returns the field values of a record.", parameters: [Parameter("record", .record, "A record.")], result: .list,
  examples: [Example("values({ lr: 0.1, epochs: 8 })", gives: "[0.1, 8]")], chapter: "Records"
) { arguments in .list(try arguments.record("record").values) }

let recordBuiltin = Builtin(
  "record", "Makes a record from a list of names and a list of values.",
  parameters: [Parameter("names", .list(of: .string), "Field names."), Parameter("values", .list, "Field values, one for each name.")],
  result: .record, examples: [Example(#"record(["a", "b"], [1, 2])"#, gives: "{ a: 1, b: 2 }")], chapter: "Records"
) { arguments in
  let (names, values) = (try arguments.strings("names"), try arguments.list("values"))
  guard names.count == values.count else {
    throw arguments.failure("there are \(names.count) names and \(values.count) values")
  }
  return .record(Record(Array(Swift.zip(names, values))))
}

let hasBuiltin = Builtin(
  "has", "Returns whether a record or an object has a field.",
  parameters: [Parameter("record", .any, "A record or an object."), Parameter("name", .string, "Name of the field.")],
  result: .bool, examples: [Example(#"has({ lr: 0.1 }, "lr")"#, gives: "true")], chapter: "Records"
) { arguments in
  let name = try arguments.string("name")
  if case .record(let record) = arguments.value("record") { return .bool(record[name] != nil) }
  return .bool(Operators.fieldNames(of: arguments.value("record")).contains(name))
}

let getBuiltin = Builtin(
  "get", "Returns a field of a record, or a default if the record has no such field.",
  parameters: [
    Parameter("record", .record, "A record."), Parameter("name", .string, "Name of the field."),
    Parameter("default", .any, "Value if there is no such field.", default: Value.none),
  ], result: .any,
  examples: [
    Example(
      "counts = {}\nfor word in [\"net\", \"vgg\", \"net\"] { counts = counts with { [word]: counts.get(word, 0) + 1 } }\ncounts",
      gives: "{ net: 2, vgg: 1 }")
  ], chapter: "Records"
) { arguments in try arguments.record("record")[arguments.string("name")] ?? arguments.value("default") }
