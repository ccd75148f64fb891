import Foundation

let stringBuiltin = Builtin(
  "string", "Converts a value to text, in full length.", parameters: [Parameter("value", .any, "Any value.")],
  result: .string, examples: [Example("string(20_000)", gives: "\"20000\"")], chapter: "Text"
) { arguments in .string(try arguments.value("value").whole(at: arguments.span)) }

let formatBuiltin = Builtin(
  "format",
  "Formats a number with a fixed number of decimal digits. In a string, \\(x, digits: 1) is short for \\(format(x, digits: 1)).",
  parameters: [
    Parameter("x", .either([.number, .string]), "A number, or a string that is only padded."),
    Parameter("digits", .integer, "Digits after the decimal point.", default: .number(2), allowed: 0...30),
    Parameter("percent", .bool, "Whether to write a share as a percentage.", default: .bool(false), labelled: true),
    Parameter("sign", .bool, "Whether to write + before a positive number.", default: .bool(false), labelled: true),
    Parameter(
      "width", .integer, "Least number of characters: numbers are padded on the left, strings on the right.",
      default: .number(0), labelled: true, allowed: 0...10_000),
  ], result: .string,
  examples: [
    Example("format(75.8)", gives: "\"75.80\""), Example(#""top-1: \(0.758, digits: 1, percent: true)""#, gives: "\"top-1: 75.8%\""),
  ], chapter: "Text"
) { arguments in
  let width = try arguments.integer("width")
  if case .string(let text) = arguments.value("x") {
    return .string(text + String(repeating: " ", count: max(0, width - text.count)))
  }
  let x = try arguments.number("x")
  let isPercent = try arguments.bool("percent")
  var text = Value.text(of: x)
  if x.isFinite {
    text = String(format: "%.\(try arguments.integer("digits"))f", isPercent ? x * 100 : x) + (isPercent ? "%" : "")
  }
  if try arguments.bool("sign"), x > 0 { text = "+" + text }
  return .string(String(repeating: " ", count: max(0, width - text.count)) + text)
}

let joinBuiltin = Builtin(
  "join", "Joins values into one string.",
  parameters: [
    Parameter("list", .list, "Values. Those that are no strings are converted."),
    Parameter("separator", .string, "Separator.", default: .string(", ")),
  ], result: .string, examples: [Example(#"join(["a", "b"], "-")"#, gives: "\"a-b\"")], chapter: "Text"
) { arguments in
  let separator = try arguments.string("separator")
  var text = ""
  for (index, element) in try arguments.list("list").enumerated() {
    text += (index == 0 ? "" : separator) + (try element.whole(at: arguments.span))
    try Operators.checkLength(text.utf8.count, at: arguments.span)
  }
  return .string(text)
}

private let text = Parameter("text", .string, "A string.")

let splitBuiltin = Builtin(
  "split", "Splits a string at a separator and returns the parts.",
  parameters: [text, Parameter("separator", .string, "Separator.", default: .string(","))],
  result: .list(of: .string), examples: [Example(#"split("a,b", ",")"#, gives: #"["a", "b"]"#)], chapter: "Text"
) { arguments in
  let (text, separator) = (try arguments.string("text"), try arguments.string("separator"))
  guard !separator.isEmpty else {
    try Extent.checkCount(text.count, at: arguments.span)
    return .list(text.map { String($0) })
  }
  let search = Search(separator)
  try Extent.checkCount(search.count(in: text) + 1, at: arguments.span)
  return .list(search.pieces(of: text))
}

let replaceBuiltin = Builtin(
  "replace", "Replaces every occurrence of a part of a string.",
  parameters: [text, Parameter("part", .string, "Part to replace."), Parameter("by", .string, "Replacement.")],
  result: .string, examples: [Example(#"replace("resnet50", "50", "18")"#, gives: "\"resnet18\"")], chapter: "Text"
) { arguments in
  let (text, part, new) = (try arguments.string("text"), try arguments.string("part"), try arguments.string("by"))
  guard !part.isEmpty else { return .string(text) }
  let search = Search(part)
  let growth = search.count(in: text) * (new.utf8.count - part.utf8.count)
  try Operators.checkLength(text.utf8.count + growth, at: arguments.span)
  return .string(search.pieces(of: text).joined(separator: new))
}

let upperBuiltin = Builtin(
  "upper", "Converts a string to upper case.", parameters: [text], result: .string,
  examples: [Example(#"upper("vgg")"#, gives: "\"VGG\"")], chapter: "Text"
) { arguments in .string(try arguments.string("text").uppercased()) }

let lowerBuiltin = Builtin(
  "lower", "Converts a string to lower case.", parameters: [text], result: .string,
  examples: [Example(#"lower("VGG")"#, gives: "\"vgg\"")], chapter: "Text"
) { arguments in .string(try arguments.string("text").lowercased()) }

let trimBuiltin = Builtin(
  "trim", "Removes white space at both ends of a string.", parameters: [text], result: .string,
  examples: [Example(#"trim("  a ")"#, gives: "\"a\"")], chapter: "Text"
) { arguments in .string(try arguments.string("text").trimmingCharacters(in: .whitespacesAndNewlines)) }

let startsWith = Builtin(
  "startsWith", "Returns whether a string starts with another.",
  parameters: [text, Parameter("part", .string, "Start.")], result: .bool,
  examples: [Example(#"startsWith("resnet50", "resnet")"#, gives: "true")], chapter: "Text"
) { arguments in .bool(try arguments.string("text").hasPrefix(try arguments.string("part"))) }

let endsWith = Builtin(
  "endsWith", "Returns whether a string ends with another.",
  parameters: [text, Parameter("part", .string, "End.")], result: .bool,
  examples: [Example(#"endsWith("a.png", ".png")"#, gives: "true")], chapter: "Text"
) { arguments in .bool(try arguments.string("text").hasSuffix(try arguments.string("part"))) }
