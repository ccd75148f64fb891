internal import Script

/// The fields of a record that is the value of a setting; the raw value is a field's name.
protocol RecordField: RawRepresentable, CaseIterable where RawValue == String {
  var type: ValueType { get }
}

extension RecordField {
  /// The type of the record, each of whose fields may be left out.
  static var type: ValueType {
    .recordOf(Dictionary(uniqueKeysWithValues: allCases.map { ($0.rawValue, .optional($0.type)) }))
  }
}

enum AverageField: String, RecordField {
  case decay, ramp, every
  var type: ValueType {
    switch self {
    case .decay, .ramp: .number
    case .every: .integer
    }
  }
}

enum SnapshotField: String, RecordField {
  case count, on, share

  /// Snapshots to average, and the share of the training set to hold out, where nothing is said.
  static let (standardCount, standardShare) = (10, 0.1)

  var type: ValueType {
    switch self {
    case .count: .integer
    case .on: .oneOf(["heldOut", "validation"])
    case .share: .number
    }
  }
}

enum DistillationField: String, RecordField {
  case weight, temperature, squared, normalization
  var type: ValueType {
    switch self {
    case .weight, .temperature: .number
    case .squared: .bool
    case .normalization: .oneOf(["data", "imagenet", "centered"])
    }
  }
}

/// The fields of such a record, which the language has checked for their types.
struct RecordFields<Field: RecordField> {
  private let record: Record?

  /// - Throws: `ScriptError` for a field that is none of those.
  init(_ arguments: Arguments, _ setting: TrainingSetting) throws(ScriptError) {
    record = if case .record(let record)? = arguments[setting.label] { record } else { nil }
    if let wrong = record?.names.first(where: { Field(rawValue: $0) == nil }) {
      let known = Field.allCases.map(\.rawValue).sorted()
      throw arguments.failure(
        "\(setting.label) has no '\(wrong)'", hint: "it has \(known.joined(separator: ", "))", at: setting.label)
    }
  }

  func number(_ field: Field) -> Double? {
    if case .number(let number)? = record?[field.rawValue] { number } else { nil }
  }
  /// Whole, and not too large for the training to look at.
  func integer(_ field: Field) -> Int? { number(field).flatMap { Int(exactly: $0) } }
  func string(_ field: Field) -> String? {
    if case .string(let string)? = record?[field.rawValue] { string } else { nil }
  }
  func bool(_ field: Field) -> Bool? { if case .bool(let bool)? = record?[field.rawValue] { bool } else { nil } }
}
