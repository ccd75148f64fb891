internal import Script

/// How often each class was taken for each.
struct ConfusionValue: ScriptObject, Equatable {
  let classes: [String]
  /// A row for each true class, a column for each answer.
  let counts: [[Int]]
  /// For each true class the images that have no prediction, since an output is `nan`.
  let undefined: [Int]

  static let type = ObjectType(
    "confusionMatrix", "A confusion matrix.",
    fields: [
      .init("classes", .list(of: .string), "Names of the classes."),
      .init(
        "counts", .list(of: .list(of: .integer)),
        "Counts: a row for each true class, a column for each predicted class."),
      .init(
        "undefined", .list(of: .integer),
        "Images without a prediction, for each true class: an output of the model is nan. They are in no row of counts and count as wrong."
      ),
      .init("count", .integer, "Number of images."),
      .init("correct", .integer, "Number of correct predictions."),
      .init(
        "mostConfused",
        .list(
          of: .recordOf(["label": .string, "answer": .string, "count": .integer, "share": .number])),
        "Pairs of a true class and a wrong prediction, the most frequent first. share is the per cent of the images of the class."
      ),
    ])

  var typeName: String { Self.type.name }
  var fieldNames: [String] { Self.type.fields.map(\.name) }

  private var unpredicted: Int { undefined.reduce(0, +) }
  private var count: Int { counts.joined().reduce(0, +) + unpredicted }
  private var correct: Int { counts.indices.reduce(0) { $0 + counts[$1][$1] } }

  private var pairs: [(label: Int, answer: Int, count: Int)] {
    counts.indices.flatMap { label in
      counts[label].indices.compactMap { answer in
        label == answer || counts[label][answer] == 0 ? nil : (label, answer, counts[label][answer])
      }
    }.sorted {
      $0.count != $1.count ? $0.count > $1.count : ($0.label, $0.answer) < ($1.label, $1.answer)
    }
  }

  private func share(_ count: Int, of label: Int) -> Double {
    100 * Double(count) / Double(max(counts[label].reduce(0, +) + undefined[label], 1))
  }

  func field(_ name: String) -> Value? {
    switch name {
    case "classes": .list(classes.map(Value.string))
    case "counts": .list(counts.map { .list($0.map(Value.count)) })
    case "undefined": .list(undefined.map(Value.count))
    case "count": .count(count)
    case "correct": .count(correct)
    case "mostConfused":
      .list(
        pairs.map { pair in
          .record([
            "label": .string(classes[pair.label]), "answer": .string(classes[pair.answer]),
            "count": .count(pair.count),
            "share": .number(share(pair.count, of: pair.label)),
          ])
        })
    default: nil
    }
  }

  private var head: String {
    "\(NumberText.grouped(correct)) of \(NumberText.grouped(count)) right"
      + (unpredicted > 0 ? ", \(NumberText.grouped(unpredicted)) without a prediction (nan)" : "")
  }

  var summary: String {
    let worst = pairs.first.map {
      ", most often \(classes[$0.label]) for \(classes[$0.answer]): \(NumberText.grouped($0.count))"
    }
    return head + (worst ?? "")
  }

  var text: String { pieces.text() }
  var pieces: [OutputPiece] {
    var parts: [OutputPiece] = [.text(head)]
    // A table of many classes fits no terminal; the pairs do.
    if classes.count <= 12 {
      let head = [""] + classes.map { String($0.prefix(7)) }
      let rows = counts.indices.map { label -> [Value] in
        [.string(String(classes[label].prefix(16)))]
          + counts[label].map { $0 == 0 ? .string("·") : .count($0) }
      }
      parts += [.text("\nrows are true classes, columns answers"), .table(Table(columns: head, rows: rows))]
    }
    if !pairs.isEmpty {
      let rows = pairs.prefix(10).map { pair -> [Value] in
        [
          .string(classes[pair.label]), .string(classes[pair.answer]), .count(pair.count),
          .string("\(NumberText.fixed(share(pair.count, of: pair.label), 1)) %"),
        ]
      }
      parts += [
        .text("\ntaken most often for another"),
        .table(Table(columns: ["class", "answer", "count", "of the class"], rows: rows)),
      ]
    }
    return parts
  }
}
