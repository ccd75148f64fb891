public import Charts
internal import Foundation
internal import Tensors

/// Where a picture comes from; it travels in the picture.
public struct Origin: Hashable, Sendable, Codable {
  /// The script's name and text, and the line that drew the picture.
  public let script, text: String
  public let line: Int
  /// Values given to the script's parameters.
  public let settings: [String: String]
  /// What the store calls the runs whose curves it shows.
  public let runs: [String]

  /// The keyword of the text chunk.
  static let keyword = "reprise-origin"

  var chunk: TextChunk { TextChunk(Self.keyword, JSONText.of(self)) }

  /// The origin that a picture carries; nil where it has none.
  /// - Throws: `ChartError.notPNG`.
  public init?(png: [UInt8]) throws(ChartError) {
    guard let chunk = try PNG.texts(in: png).first(where: { $0.keyword == Self.keyword }),
      let origin = JSONText.read(Origin.self, chunk.text)
    else { return nil }
    self = origin
  }

  init(script: String, text: String, line: Int, settings: [String: String], runs: [String]) {
    (self.script, self.text, self.line, self.settings, self.runs) = (script, text, line, settings, runs)
  }
}
