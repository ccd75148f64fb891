import Foundation
import Notebook
import Script
import Tensors

/// Calls of every built-in with odd values, made from the declarations alone: a built-in is covered the day it is declared.
///
/// Each call is a line of a script behind ``prelude``, so that what goes wrong can be typed at the prompt.
struct CallSweep {
  /// What calls rest on: one small value of each kind.
  static let prelude = """
    fn given(x) = x
    net = resnet8(classes: 4, input: [1, 8, 8])
    data = synthetic(4, shape: [1, 8, 8], train: 64, validation: 16)
    model = initialize(net)
    trained = train(net, data, epochs: 1, batch: 16)
    other = train(net, data, epochs: 1, batch: 16, seed: 2)
    eight = quantize(model, data, images: 8)
    found = searchRatios(model, data, macsRemoved: 30%, rollouts: 2, heldOut: 16, images: 8)
    mixed = confusionMatrix(model, data)
    pair = compare([trained, other], [trained, other])
    curve = series([3, 1, 2])
    image = plot(curve, to: "a.png")
    pixels = images(data, 2)
    judged = claim("c", measured: 1, atLeast: 0)
    change = randomErasing()
    counts = [g.channels for g in channels(net) if g.prunable]
    manyNumbers = repeat(1, 1_000_000)
    manyTexts = repeat("a", 100_000)
    manyLists = repeat([1], 100_000)
    manyRecords = repeat({ a: 1 }, 100_000)
    long = repeat("ab", 1_000_000)
    deep = reduce(1...900, {}, (inner, i) => { a: inner })
    deepList = reduce(1...900, [], (inner, i) => [inner])
    """

  /// Values of each kind of object: the first is a good one, the others are odd.
  static let objects: [String: [String]] = [
    "network": ["net", "resnet8(classes: 1, input: [3, 9, 33])"],
    "dataset": [
      "data", "synthetic(2, shape: [2, 8, 8], train: 1, validation: 1)",
      "synthetic(4, shape: [1, 8, 8], train: 1, validation: 1)",
      "synthetic(64, shape: [1, 8, 8], train: 64, validation: 1)",
    ],
    "model": [
      "model", "load(net, \"nan.safetensors\")", "load(net, \"inf.safetensors\")", "load(net, \"huge.safetensors\")",
      "load(net, \"zero.safetensors\")", "eight.model", "initialize(resnet8(classes: 3, input: [3, 9, 33]))",
    ],
    "run": ["trained", "eight"],
    "search": ["found"],
    "progress": ["progress([1, nan, none])", "progress([])", "progress(1...3, \"\")"],
    "confusionMatrix": ["mixed", "confusionMatrix(load(net, \"nan.safetensors\"), data)"],
    "comparison": ["pair"],
    "series": [
      "curve", "series([])", "series([nan])", "series([inf, -inf, nan])", "series([0, 5e-324])",
      "series([1.7e308, -1.7e308])",
      "series([1, 2], x: [nan, inf])", "series([1e300, 1e300])", "series([-1, 0])", "series(manyNumbers)",
    ],
    "chart": ["image"],
    "array": [
      "pixels", "array([])", "array([nan])", "array([0], shape: [0, 3])", "array([0], shape: [])",
      "array([1e300, -1e300])",
      "array([nan], shape: [2, 1, 8, 8])", "array([1], shape: [1, 1, 1, 1, 1, 1, 1, 1])",
      "array([0], shape: [1_000_000])",
    ],
    "claim": ["judged"],
    "augmentation": ["change"],
    // Nothing is kept here, and no built-in takes one.
    "storedRun": ["run(\"00\")"],
  ]

  /// Arguments that no declaration tells, where a good one is needed to come far.
  static let arguments: [String: [String: String]] = [
    "withChannels": ["counts": "counts"], "prune": ["macsRemoved": "30%", "images": "8"],
    "sensitivity": ["heldOut": "16", "images": "8", "ratios": "[50%]"],
    "searchRatios": ["heldOut": "16", "images": "8", "rollouts": "2", "macsRemoved": "30%"],
    "folder": ["path": "\"images\"", "size": "8"], "imagenet": ["path": "\"imagenet\"", "size": "8"],
    "load": ["path": "\"huge.safetensors\""], "weightMapping": ["path": "\"huge.safetensors\""],
    "readArray": ["path": "\"a.npy\""], "preview": ["image": "image"],
    "benchmark": ["batch": "2", "steps": "1"], "compressionReport": ["rounds": "1"],
    "layerSensitivity": ["validationImages": "8", "images": "8"], "preciseBatchNorm": ["batches": "2", "batch": "16"],
    "quantize": ["images": "8"], "export": ["to": "\"a.onnx\""], "claim": ["measured": "[1, 2]", "atLeast": "0"],
    "train": ["epochs": "1", "batch": "16"], "evaluate": ["batch": "16"], "probe": ["batch": "16"],
    "findLearningRate": ["batch": "16", "steps": "10"],
  ]

  // MARK: Odd values

  private static let numbers = [
    "nan", "inf", "-inf", "1e300", "-1e300", "-0.0", "0", "-1", "0.5", "1", "2 ** 63", "2 ** 53 + 1", "5e-324",
  ]
  private static let texts = [
    "\"\"", "\"a\"", "\"\\0\"", "\"a\\0b\"", "\"a\\nb\"", "\"\\u{202E}é👩‍👩‍👧\"", "long", "\"/\"", "\".\"", "\"..\"",
    "\"../a.png\"",
    "\"images\"", "\"/dev/null\"", "\"a/b/c.png\"",
  ]
  private static let lists = [
    "[]", "[[]]", "[{}]", "[none]", "[nan, nan]", "[inf, -inf]", "[0, 5e-324]", "[1.7e308, 1.7e308]", "[1e200, -1e200]",
    "[-1, 0, 1]", "[1, 1, 1]", "[0.5, 2 ** 63]", "[\"\", \"\"]", "[[1], []]", "[[nan], [inf]]",
    "[[1e300, -1e300], [0, 5e-324]]",
    "0...-1", "1...3", "1...1_000_000", "1...1e18", "nan...1", "manyNumbers", "manyTexts", "manyLists", "manyRecords",
    "deepList",
  ]
  private static let records = [
    "{}", "{ a: {} }", "{ a: { b: { c: {} } } }", "{ a: nan }", "{ a: [] }", "{ a: manyNumbers }", "deep",
    "{ a: [1, 2], b: [nan] }", "{ a: [], b: [] }", "{ index: 1e300 }", "{ correct: 1e300, count: nan }",
  ]
  private static let functions = [
    "x => x", "x => nan", "() => 1", "(a, b) => a", "x => fail(\"no\")", "x => [x, x]", "print", "train", "x => none",
  ]
  /// One of each kind, for parameters of every other kind.
  private static let strangers = ["none", "nan", "\"\"", "[]", "{}", "true", "1...2", "x => x", "net"]

  /// Values to try for a type.
  private func odd(_ type: ValueType, depth: Int = 0) -> [String] {
    switch type {
    case .any:
      return Self.numbers + Self.texts + Self.lists + Self.records + Self.functions
        + Self.objects.sorted { $0.key < $1.key }.flatMap(\.value)
    case .none: return []
    case .bool: return ["true", "false"]
    case .number, .integer: return Self.numbers
    case .string: return Self.texts
    case .range: return ["0...-1", "1...1e18", "nan...1", "-inf...inf", "0..<0", "1...3"]
    case .function: return Self.functions
    case .record: return Self.records
    case .oneOf(let choices): return choices.map { "\"\($0)\"" }
    case .optional(let inner): return odd(inner, depth: depth)
    case .either(let types): return types.flatMap { odd($0, depth: depth) }
    case .list(let element):
      guard depth < 2 else { return Self.lists }
      let good = self.good(element)
      let elements = odd(element, depth: depth + 1).filter { !$0.contains("many") && $0 != "long" }
      return Self.lists + elements.map { "[\($0)]" } + elements.prefix(8).map { "[\(good), \($0)]" }
    case .recordOf(let fields):
      return Self.records
        + fields.sorted { $0.key < $1.key }.flatMap { name, type in
          (odd(type, depth: depth + 1) + Self.strangers).map { "{ \(name): \($0) }" }
        }
    case .object(let name): return Self.objects[name] ?? []
    }
  }

  /// A value that is as good as can be told.
  private func good(_ type: ValueType, allowed: ClosedRange<Double>? = nil) -> String {
    switch type {
    case .any, .number, .integer:
      guard let allowed, !allowed.contains(1) else { return "1" }
      return "\(allowed.lowerBound)"
    case .none: return "none"
    case .bool: return "true"
    case .string: return "\"a.png\""
    case .range: return "1...3"
    case .function: return "x => x"
    case .record: return "{ a: 1 }"
    case .oneOf(let choices): return "\"\(choices.first ?? "")\""
    case .optional(let inner): return good(inner, allowed: allowed)
    case .either(let types): return types.first.map { good($0, allowed: allowed) } ?? "none"
    case .list(.object("run")): return "[trained, other]"
    case .list(let element): return "[\(good(element)), \(good(element))]"
    case .recordOf(let fields):
      return "{ \(fields.sorted { $0.key < $1.key }.map { "\($0): \(good($1))" }.joined(separator: ", ")) }"
    case .object(let name): return Self.objects[name]?.first ?? "none"
    }
  }

  // MARK: Calls

  /// All calls of all built-ins, as text.
  func calls(of library: Library) -> [String] { library.builtins.flatMap(calls) }

  private func calls(of builtin: Builtin) -> [String] {
    let base = base(of: builtin)
    func call(_ changed: [(label: String, value: String)]) -> String {
      var values = base
      for (label, value) in changed {
        let isVariadic = builtin.parameters.first { $0.label == label }?.isVariadic ?? false
        if isVariadic { values.removeAll { $0.label == nil } }
        let place = values.firstIndex { $0.label == label } ?? (isVariadic ? 0 : values.count)
        let argument = (label: isVariadic ? nil : label, value: "given(\(value))")
        if place < values.count, values[place].label == label {
          values[place] = argument
        } else {
          values.insert(argument, at: place)
        }
      }
      return "\(builtin.name)(\(values.map { ($0.label.map { "\($0): " } ?? "") + $0.value }.joined(separator: ", ")))"
    }
    var calls = ["\(builtin.name)()", call([])]
    for parameter in builtin.parameters {
      var values = odd(parameter.type) + Self.strangers
      if let allowed = parameter.allowed { values.append("\(allowed.lowerBound)") }
      // Of a record that is there, each field by turns.
      if [.record, .any].contains(parameter.type), let given = base.first(where: { $0.label == parameter.label })?.value
      {
        for name in fields(of: given) {
          values += (Self.numbers + Self.strangers).map { "(\(given)) with { \(name): \($0) }" }
        }
      }
      var seen: Set<String> = []
      calls += values.filter { seen.insert($0).inserted }.map { call([(parameter.label, $0)]) }
    }
    // Odd objects, with each choice that there is.
    for parameter in builtin.parameters {
      let all = objects(parameter.type)
      let odd = all.flatMap { Self.objects[$0]?.dropFirst() ?? [] }.filter { !$0.contains("many") }
      for choice in builtin.parameters where !odd.isEmpty && choice.label != parameter.label {
        for word in choices(choice.type) {
          calls += odd.map { call([(parameter.label, $0), (choice.label, word)]) }
        }
      }
    }
    return calls
  }

  private func objects(_ type: ValueType) -> [String] {
    switch type {
    case .object(let name): [name]
    case .optional(let inner), .list(of: let inner): objects(inner)
    case .either(let types): types.flatMap(objects)
    default: []
    }
  }

  private func choices(_ type: ValueType) -> [String] {
    switch type {
    case .oneOf: odd(type)
    case .optional(let inner): choices(inner)
    case .list(of: .oneOf(let words)): words.map { "[\"\($0)\"]" }
    default: []
    }
  }

  /// A call that may well go: the arguments of the declaration's first example, and what it needs beside them.
  private func base(of builtin: Builtin) -> [(label: String?, value: String)] {
    let examples = builtin.examples.lazy.compactMap { CallText.arguments(of: builtin.name, in: $0.code) }
    let written = examples.first ?? []
    var positions = builtin.parameters.filter { !$0.isLabelled }.makeIterator()
    var shown: [String: String] = [:]
    var variadic: [String] = []
    for argument in written {
      if let label = argument.label {
        shown[label] = argument.value
      } else if variadic.isEmpty, let parameter = positions.next(), !parameter.isVariadic {
        shown[parameter.label] = argument.value
      } else {
        variadic.append(argument.value)
      }
    }
    var base: [(label: String?, value: String)] = []
    for parameter in builtin.parameters {
      if parameter.isVariadic {
        base += (variadic.isEmpty ? [good(parameter.type)] : variadic).map { (nil, $0) }
      } else if let value = Self.arguments[builtin.name]?[parameter.label] {
        base.append((parameter.label, value))
      } else if !objects(parameter.type).isEmpty, !parameter.mayBeOmitted || shown[parameter.label] != nil {
        base.append((parameter.label, good(parameter.type)))
      } else if let value = shown[parameter.label] {
        base.append((parameter.label, value))
      } else if !parameter.mayBeOmitted {
        base.append((parameter.label, good(parameter.type, allowed: parameter.allowed)))
      }
    }
    return base
  }

  /// The names of a record that a text makes.
  private func fields(of text: String) -> [String] {
    let session = Session(library: notebookLibrary, output: Silence())
    guard case .record(let record)? = try? session.run(Source(text, name: "record")).value else { return [] }
    return record.names
  }

  // MARK: Running

  /// Makes the files that calls read: weights that are odd, and images in folders.
  static func prepare(_ folder: String) throws {
    let workshop = try Workshop(in: folder)
    try workshop.value(
      """
      m = initialize(resnet8(classes: 4, input: [1, 8, 8]))
      save(m, to: "whole.safetensors")
      write(array([1, 2, 3]), to: "a.npy")
      for name in ["a", "b"] { for i in 1...4 {
        plot([i, 1], to: "images/\\(name)/\\(i).png", width: 160, height: 160)
        for part in ["train", "val"] { plot([i, 1], to: "imagenet/\\(part)/\\(name)/\\(i).png", width: 160, height: 160) }
      } }
      """)
    // A file where the store's folder would be: nothing is kept, so every call does its work.
    try Data().write(to: URL(filePath: "\(folder)/.reprise"))
    let whole = try SafeTensors(reading: "\(folder)/whole.safetensors").weights
    for (name, number) in [("nan", Float.nan), ("inf", .infinity), ("huge", .greatestFiniteMagnitude), ("zero", 0)] {
      var weights = whole
      for name in number.isFinite ? Array(whole.keys) : ["fc.bias"] {
        weights[name]?.withUnsafeMutableElements { $0.update(repeating: number) }
      }
      try SafeTensors(weights: weights).write(to: "\(folder)/\(name).safetensors")
    }
  }

  /// Makes every `stride`th call from `first` on, each noted in a file before it is made.
  /// - Returns: never where a call ends the process, which is what the file is for.
  static func run(from first: Int, stride: Int, in folder: String, noting path: String) throws {
    // More is more than any of these small calls should take.
    var limit = rlimit(rlim_cur: 24 << 30, rlim_max: 24 << 30)
    setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
    let notebook = NotebookSession(threads: 1)
    let session = Session(
      library: notebookLibrary, output: Silence(), host: notebook, workingDirectory: WorkingDirectory(folder))
    let file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    @Sendable func note(_ line: String) { _ = line.withCString { write(file, $0, strlen($0)) } }
    // Where a call has no end, the process has one.
    let watch = Watch()
    watch.start()
    let failure = EvaluationThread().run { () -> String? in
      do {
        try session.run(Source(prelude, name: "prelude"))
        let calls = CallSweep().calls(of: notebookLibrary)
        var index = first
        while index < calls.count {
          note("\(index)\t\(calls[index].prefix(2000))\n")
          watch.restart()
          look(at: calls[index], in: session)
          notebook.forgetClaims()
          index += stride
        }
        note("done\t\(calls.count)\n")
        return nil
      } catch { return "\(error)" }
    }
    if let failure { note("prelude\t\(failure)\n") }
  }

  /// Makes a call, and looks at all that comes of it.
  private static func look(at call: String, in session: Session) {
    do throws(ScriptFailure) {
      guard let value = try session.run(Source(call, name: "call")).value else { return }
      _ = value.shown(width: 80)
      guard case .object(let object) = value else { return }
      _ = object.summary
      for name in object.fieldNames { _ = (try? object.field(name))??.shown(width: 80) }
    } catch {
      _ = DiagnosticRenderer().render(error)
    }
  }

  private struct Silence: ScriptOutput { func print(_ text: String) {} }

  /// Ends the process where nothing happens for two minutes: the longest call takes a second.
  private final class Watch: @unchecked Sendable {  // Sendable: the time is guarded by the lock
    private let lock = NSLock()
    private var begun = Date()
    func restart() { lock.withLock { begun = Date() } }
    func start() {
      let thread = Thread { [self] in
        while true {
          Thread.sleep(forTimeInterval: 1)
          if lock.withLock({ Date().timeIntervalSince(begun) }) > 120 { abort() }
        }
      }
      thread.start()
    }
  }
}

/// The arguments of a call, as they are written.
enum CallText {
  /// - Returns: Of the first call of a function; nil where there is none.
  static func arguments(of name: String, in code: String) -> [(label: String?, value: String)]? {
    let characters = Array(code)
    let head = Array(name + "(")
    var start: Int?
    for place in characters.indices where characters[place...].starts(with: head) {
      let before = place > 0 ? characters[place - 1] : " "
      if !before.isLetter, !before.isNumber, before != "_", before != "." {
        start = place + head.count
        break
      }
    }
    guard let start else { return nil }
    var (parts, part, depth, isText) = ([String](), "", 0, false)
    var place = start
    while place < characters.count {
      let character = characters[place]
      if isText {
        part.append(character)
        if character == "\\", place + 1 < characters.count {
          place += 1
          part.append(characters[place])
        } else if character == "\"" {
          isText = false
        }
      } else if depth == 0, character == ")" {
        break
      } else if depth == 0, character == "," {
        parts.append(part)
        part = ""
      } else {
        if character == "\"" { isText = true }
        if "([{".contains(character) { depth += 1 }
        if ")]}".contains(character) { depth -= 1 }
        part.append(character)
      }
      place += 1
    }
    parts.append(part)
    return parts.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }.filter { !$0.isEmpty }.map { part in
      let label = part.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
      let rest = part.dropFirst(label.count)
      guard !label.isEmpty, rest.hasPrefix(":") else { return (nil, part) }
      return (String(label), String(rest.dropFirst()).trimmingCharacters(in: .whitespaces))
    }
  }
}
