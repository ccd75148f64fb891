internal import Datasets
internal import Foundation
internal import Script
internal import Tensors

let why = Builtin(
  "why",
  "Prints where a value comes from: the statements that led to it, its runs in the store, the hashes of their data, and what has changed since.",
  parameters: [Parameter("value", .any, "The value.")], result: .none,
  examples: [Example("x = 20\ny = x + 1\nwhy(y)")], chapter: "Results"
) { arguments in
  let (context, notebook) = (arguments.context, try arguments.notebook())
  let slice = Slice.of(arguments.span(of: "value").text, in: notebook.slices(before: context.span))
  for line in slice.lines {
    let place = notebook.entries.isEmpty ? "line \(line.line)" : "<\(line.entry)>"
    context.print("\(place)  \(line.text.replacing("\n", with: "\n     "))")
  }
  let tale = Provenance(try? notebook.store(context.workingDirectory))
  for line in tale.lines(of: arguments.value("value"), StepWork(notebook, context)) { context.print(line) }
  for (name, entry) in slice.changed {
    context.print("changed since: \(name)\(notebook.entries.isEmpty ? "" : ", in <\(entry)>")")
  }
  return .none
}

extension NotebookSession {
  /// A script that does what led to a value at the prompt, or to the last entry; nil where nothing did.
  public func script(for name: String?) -> String? {
    let entries = entries.slices
    let slice = name.map { Slice.of($0, in: entries) } ?? Slice.ofLast(in: entries)
    guard !slice.lines.isEmpty else { return nil }
    let options = ["--seed \(seed)"] + (threads.map { ["--threads \($0)"] } ?? []) + (convolvesDirectly ? ["--direct"] : [])
    return "# Saved from the prompt. The same bits: reprise run FILE \(options.joined(separator: " "))\n"
      + slice.lines.map { $0.text + "\n" }.joined()
  }

  /// All that was done until a call, for a slice: what was typed at the prompt, or the script.
  func slices(before span: Span) -> [Slice.Entry] {
    guard let last = entries.last else {
      let text = span.source.text
      return [Slice.Entry(number: 1, text: text, done: Slice.statements(of: text, before: span), givesAns: false)]
    }
    return entries.slices.dropLast()
      + [
        Slice.Entry(
          number: last.number, text: last.text, done: Slice.statements(of: last.text, before: span), givesAns: false)
      ]
  }
}

extension [PromptEntry] {
  /// For a slice.
  var slices: [Slice.Entry] {
    map { Slice.Entry(number: $0.number, text: $0.text, done: $0.done, givesAns: $0.givesAns) }
  }
}

/// Follows values back to the runs that gave them.
private struct Provenance {
  private let store: RunStore?
  private let runs: [RunStore.Run]

  init(_ store: RunStore?) {
    self.store = store
    runs = (try? store?.runs()) ?? []
  }

  func lines(of value: Value, _ work: StepWork) -> [String] {
    var lines: [String] = []
    var seen: Set<String> = []
    for (id, data) in Self.origins(of: value) {
      guard !id.isEmpty, let run = runs.last(where: { $0.key.hasPrefix(id) }) else { continue }
      var now: String?
      if let data { now = try? work.contentHash(of: data) }
      tell(run, dataNow: now, &lines, &seen)
    }
    return lines
  }

  /// The runs that a value names, with data that one can look at again.
  private static func origins(of value: Value) -> [(id: String, data: Dataset?)] {
    switch value {
    case .object(let run as RunValue): return [(run.id, run.dataset)]
    case .object(let model as ModelValue): return [(model.run, nil)]
    case .object(let series as SeriesValue): return [(series.run, nil)]
    case .object(let search as SearchValue): return [(search.run, nil)]
    case .list(let list): return list.elements.flatMap(origins)
    case .record(let record): return record.fields.flatMap { origins(of: $0.1) }
    default: return []
    }
  }

  private func tell(_ run: RunStore.Run, dataNow: String?, _ lines: inout [String], _ seen: inout Set<String>) {
    guard seen.insert(run.key).inserted else { return }
    let inputs = JSONText.leaves(run.inputs)
    let day = (run.finished ?? run.started).formatted(.iso8601.year().month().day())
    lines.append("run \(run.id)  \(run.kind) of \(run.name), \(run.state.rawValue) \(day)")
    if let data = inputs["data"] ?? inputs["dataChecksum"] {
      lines.append("     data \(data.prefix(16))" + (dataNow.map { $0 == data ? ", the same now" : ", changed since" } ?? ""))
    }
    if run.isOfAnotherBuild { lines.append("     made by another build of Reprise") }
    guard let start = inputs["start"], start.hasPrefix("weights ") else { return }
    let ending = "-\(start.dropFirst("weights ".count)).safetensors"
    if let source = runs.last(where: { $0.weights?.hasSuffix(ending) ?? false }) {
      lines.append("     from the weights of run \(source.id)")
      tell(source, dataNow: nil, &lines, &seen)
    } else {
      lines.append("     from weights that no run here gave")
    }
  }
}
