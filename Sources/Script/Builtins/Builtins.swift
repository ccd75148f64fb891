/// The builtins of the language itself, in the order of the reference.
let languageBuiltins: [Builtin] =
  [
    printBuiltin, tableBuiltin, typeOf, environmentBuiltin, assertBuiltin, failBuiltin, attemptBuiltin,
    timeBuiltin, progressBuiltin,
    absBuiltin, roundBuiltin, floorBuiltin, ceilBuiltin, sqrtBuiltin, expBuiltin, logBuiltin, log2Builtin, log10Builtin,
    sinBuiltin, cosBuiltin, tanhBuiltin, minBuiltin, maxBuiltin, sumBuiltin, meanBuiltin, medianBuiltin, std,
    isNan, numberBuiltin,
    lenBuiltin, rangeBuiltin, mapBuiltin, filterBuiltin, reduceBuiltin, sortBuiltin, reverseBuiltin, zipBuiltin,
    enumerateBuiltin, containsBuiltin, indexOf, firstBuiltin, lastBuiltin, uniqueBuiltin, flatten, anyBuiltin,
    allBuiltin, repeatBuiltin,
    stringBuiltin, joinBuiltin, splitBuiltin, replaceBuiltin, upperBuiltin, lowerBuiltin, trimBuiltin, startsWith,
    endsWith, formatBuiltin,
    keysBuiltin, valuesBuiltin, recordBuiltin, hasBuiltin, getBuiltin,
  ]

let languageConstants = [
  Constant("pi", "The number π.", type: .number, value: .number(.pi)),
  Constant("inf", "Infinity.", type: .number, value: .number(.infinity)),
  Constant("nan", "Not a number.", type: .number, value: .number(.nan)),
]
