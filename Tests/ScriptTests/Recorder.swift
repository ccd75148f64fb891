import Script
import Synchronization

/// Keeps what a script prints.
final class Recorder: ScriptOutput {
  private let lines = Mutex<[String]>([])
  var text: String { lines.withLock { $0.joined(separator: "\n") } }
  func print(_ text: String) { lines.withLock { $0.append(text) } }
  func narrate(_ markdown: String) { lines.withLock { $0.append("## \(markdown)") } }
  private let code = Mutex<[String]>([])
  /// The statements that ran, in their order.
  var statements: [String] { code.withLock { $0 } }
  func execute(_ statement: Span) { code.withLock { $0.append(statement.text) } }
}

/// A value of a module that is not there, for tests.
struct Model: ScriptObject, Equatable {
  var classes = 10.0
  var width = 1.0
  let typeName = "model"
  let fieldNames = ["classes", "width"]
  func field(_ name: String) -> Value? {
    switch name {
    case "classes": .number(classes)
    case "width": .number(width)
    default: nil
    }
  }
  var summary: String { "model with \(Value.text(of: classes)) classes" }
  func with(_ changes: Record) throws -> Value? {
    var changed = self
    for (name, value) in changes.fields {
      switch (name, value) {
      case ("classes", .number(let number)): changed.classes = number
      case ("width", .number(let number)): changed.width = number
      default: throw NoSuchSetting(name: name)
      }
    }
    return .object(changed)
  }
}

struct NoSuchSetting: ExplainedError {
  let name: String
  var problem: String { "a model has no setting '\(name)'" }
}

struct WeightsMissing: ExplainedError {
  let problem = "the weights of resnet50 are not here"
  let hint: String? = "reprise fetch resnet50"
  let isMissingData = true
}

let testLibrary = Library(
  builtins: [
    Builtin(
      "network", "A network.",
      parameters: [
        Parameter("name", .oneOf(["resnet18", "resnet50", "vgg16"]), "Which."),
        Parameter("classes", .integer, "How many classes.", default: .number(10), allowed: 1...100_000),
      ], result: .object("model")
    ) { arguments in .object(Model(classes: try arguments.number("classes"))) },
    Builtin(
      "prune", "A smaller network.",
      parameters: [
        Parameter("model", .object("model"), "The model."),
        Parameter("to", .number, "What is left.", labelled: true, allowed: 0...1),
      ], result: .object("model")
    ) { arguments in
      var model = try arguments.object("model", as: Model.self)
      model.width *= try arguments.number("to")
      return .object(model)
    },
    Builtin(
      "plot", "An image.",
      parameters: [
        Parameter("series", .any, "What to draw.", variadic: true), Parameter("to", .string, "The file."),
        Parameter("log", .bool, "Whether the axis is logarithmic.", default: .bool(false)),
      ], result: .none
    ) { arguments in
      let path = try arguments.context.pathToWrite(arguments.string("to"), at: arguments.span(of: "to"))
      arguments.context.print("\(arguments.rest.count) series to \(path.split(separator: "/").last ?? "")")
      return .none
    },
    Builtin("weights", "Weights.", result: .any) { _ in throw WeightsMissing() },
    Builtin(
      "fit", "Fits.",
      parameters: [
        Parameter("data", .number, "The data."),
        Parameter(
          "recipe", .record, "Arguments in a record.", optional: true, bundle: ArgumentBundle(ignoring: ["about"])),
        Parameter("epochs", .integer, "How often.", default: .number(8), labelled: true),
        Parameter("rate", .number, "How fast.", optional: true, labelled: true),
      ], result: .number, printsResult: true
    ) { arguments in
      arguments.context.print("fitted")
      return arguments.value("epochs")
    },
  ],
  objectTypes: [
    ObjectType(
      "model", "A network with its weights.",
      fields: [.init("classes", .integer, "How many classes."), .init("width", .number, "The width.")])
  ])

func session(_ output: Recorder = Recorder(), interruption: Interruption = Interruption()) -> Session {
  Session(
    library: testLibrary, output: output, interruption: interruption, workingDirectory: WorkingDirectory("/desk"),
    environment: ["HOME": "/home/reader"])
}

/// The value of a script's last line.
func value(_ text: String, in session: Session = session()) throws -> Value? {
  try session.run(Source(text, name: "test")).value
}

/// Why a script did not run to its end; nil where it did.
func failure(_ text: String, in session: Session = session()) -> ScriptFailure? {
  do throws(ScriptFailure) {
    try session.run(Source(text, name: "test"))
    return nil
  } catch {
    return error
  }
}

/// The first error of a script, however late it comes.
func error(_ text: String, in session: Session = session()) -> ScriptError? { failure(text, in: session)?.errors.first }
