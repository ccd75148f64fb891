/// A parameter of a script with the value that it has in a run.
public struct EffectiveParameter: Hashable, Sendable {
  public let name, doc: String
  /// As a script would write them.
  public let value, `default`: String
  /// Whether the value was given from outside.
  public let isSet: Bool

  /// Those of a script, in its order. Settings that do not fit are left out, as the run refuses them.
  /// - Parameter settings: Values for parameters, as text: `scale=paper`.
  public static func all(of source: Source, settings: [String: String]) -> [EffectiveParameter] {
    let program = Parser.parse(source).program
    return program.parameters.map { parameter in
      let given = settings[parameter.name].flatMap { text in
        try? Session.values(of: [parameter.name: text], for: [program])[parameter.name]
      }
      let standard = parameter.default?.literal ?? parameter.expression.span.text
      return EffectiveParameter(
        name: parameter.name, doc: parameter.doc, value: given?.literal ?? standard, default: standard,
        isSet: given != nil)
    }
  }
}
