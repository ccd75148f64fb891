/// The builtins of the language itself, in the order of the reference.
let languageBuiltins: [Builtin] = [
]

let languageConstants = [
  Constant("pi", "The ratio of a circle's circumference to its diameter.", type: .number, value: .number(.pi)),
  Constant("inf", "Infinity.", type: .number, value: .number(.infinity)),
  Constant("nan", "Not a number.", type: .number, value: .number(.nan)),
]
