internal import Foundation
internal import Script

/// The runs of a store for other programs: a row for each, with its settings and final numbers.
public struct RunTable {
  private let runs: [StoredRunValue]

  public init(_ runs: [RunStore.Run]) { self.runs = runs.map { StoredRunValue(run: $0, weights: nil) } }

  private static let facts = ["id", "kind", "name", "state", "started", "seconds", "script", "top1", "otherBuild"]
  /// Records of each run, whose fields are columns of their own in a table.
  private static let parts = ["results", "settings"]

  /// A list of records, as JSON. A number that there is not is null.
  public var json: String { Value.list(runs.map { .record(Self.record($0, of: Self.facts + Self.parts)) }).json + "\n" }

  /// As RFC 4180 has it: a first line that names the columns, such as `results.loss` and `settings.learningRate`, and a line
  /// for each run. A cell is empty where its run has no such number or setting.
  public var csv: String {
    let records = runs.map { run in
      Self.parts.reduce(Self.record(run, of: Self.facts)) { record, part in
        guard case .record(let fields)? = run.field(part) else { return record }
        return record.merging(Record(fields.fields.map { ("\(part).\($0.0)", $0.1) }))
      }
    }
    guard !records.isEmpty else { return Self.facts.joined(separator: ",") + "\n" }
    // Columns of the facts, then of all results, then of all settings.
    let names = Set(records.flatMap(\.names))
    let columns = Self.facts + Self.parts.flatMap { part in names.filter { $0.hasPrefix(part + ".") }.sorted() }
    let rows = records.map { record in Value.record(Record(columns.map { ($0, record[$0] ?? .none) })) }
    return CSV.text(of: .list(rows)) ?? ""
  }

  private static func record(_ run: StoredRunValue, of names: [String]) -> Record {
    Record(names.map { ($0, run.field($0) ?? .none) })
  }
}
