import Foundation

/// Pictures in rows and columns, each with a line or two below it.
public struct ImageGrid: Hashable, Sendable, Codable {
  /// Row by row.
  public var pictures: [Tile]
  /// How many stand side by side; `nil` shows them as large as can be.
  public var columns: Int?

  public init(_ pictures: [Tile], columns: Int? = nil) {
    self.pictures = pictures
    self.columns = columns
  }

  /// The most pictures of a chart.
  public static let mostPictures = 2000
  /// The most bytes that all pictures of a chart may have together: they travel in its file.
  public static let mostBytes = 16 << 20

  /// The height of ordinary text in a chart of one grid. Pixels.
  static func textSize(ofChart width: Double) -> Double { max(10, min(48, width / 85)) }

  /// The height at which a chart of this grid alone shows its pictures about 90 pixels large, or as they are. Pixels.
  ///
  /// - Parameters:
  ///   - width: The chart's. Pixels.
  ///   - lines: How many lines of text stand above the pictures and below them.
  public func height(ofChart width: Int = 1280, lines: Int = 2) -> Int {
    let size = ImageGrid.textSize(ofChart: Double(width))
    let captionSize = max(9, size * 0.8)
    let room = Double(width) - 1.8 * size
    let longest = pictures.map(\.caption.count).max() ?? 0
    let sides = (width: Double(pictures.map(\.width).max() ?? 1), height: Double(pictures.map(\.height).max() ?? 1))
    let frame = 2 * (max(3, (size * 0.25).rounded()) + 1)
    var scale = max(1, (90 / max(sides.width, sides.height)).rounded(.down))
    // A letter is about half as wide as high.
    let caption = min(Double(longest) * captionSize * 0.55, 8 * captionSize)
    let cell = max(sides.width * scale + frame, caption)
    let columns = max(1, min(pictures.count, columns ?? Int((room + size) / (cell + size))))
    let cellWidth = (room - size * Double(columns - 1)) / Double(columns)
    scale = min(scale, (cellWidth - frame) / sides.width)
    let captionLines: Double = longest == 0 ? 0 : Double(longest) * captionSize * 0.55 <= cellWidth ? 1 : 2
    let rows = Double((pictures.count + columns - 1) / columns)
    let row = sides.height * scale + frame + captionLines * (captionSize * 1.02 + 1) + size * 0.55
    let height = 2.4 * size + Double(lines) * size * 1.5 + rows * row + 4
    return max(Chart.allowedSides.lowerBound, min(Chart.allowedSides.upperBound, Int(height)))
  }
}

/// One picture of a grid.
public struct Tile: Hashable, Sendable {
  /// Whether an answer was right; drawn as the colour and the thickness of a frame.
  public enum Verdict: String, Hashable, Sendable, Codable { case right, wrong }

  /// 1 for grey, 3 for red, green and blue.
  public let channels: Int
  /// Pixels.
  public let height, width: Int
  /// One plane for each channel: index `(channel * height + y) * width + x`.
  public let bytes: [UInt8]
  /// Stands below the picture, in two lines where it does not fit into one; what does not fit is cut off.
  public var caption: String
  /// `nil` for no frame.
  public var verdict: Verdict?

  /// - Precondition: 1 or 3 channels, sides of at least a pixel, and a byte for each channel of each pixel.
  public init(
    channels: Int, height: Int, width: Int, bytes: [UInt8], caption: String = "", verdict: Verdict? = nil
  ) {
    precondition(Tile.isWhole(channels, height, width, bytes.count))
    (self.channels, self.height, self.width, self.bytes) = (channels, height, width, bytes)
    self.caption = caption
    self.verdict = verdict
  }

  private static func isWhole(_ channels: Int, _ height: Int, _ width: Int, _ count: Int) -> Bool {
    let sides = 1...1 << 20
    return (channels == 1 || channels == 3) && sides.contains(height) && sides.contains(width)
      && channels * height * width == count
  }

  func color(_ x: Int, _ y: Int) -> (red: UInt8, green: UInt8, blue: UInt8) {
    let place = y * width + x
    if channels == 1 { return (bytes[place], bytes[place], bytes[place]) }
    let plane = width * height
    return (bytes[place], bytes[plane + place], bytes[2 * plane + place])
  }
}

/// The bytes are written in base 64.
extension Tile: Codable {
  private enum CodingKeys: String, CodingKey { case channels, height, width, bytes, caption, verdict }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let channels = try container.decode(Int.self, forKey: .channels)
    let height = try container.decode(Int.self, forKey: .height)
    let width = try container.decode(Int.self, forKey: .width)
    let bytes = try container.decode(Data.self, forKey: .bytes)
    guard Tile.isWhole(channels, height, width, bytes.count) else {
      throw DecodingError.dataCorruptedError(
        forKey: .bytes, in: container, debugDescription: "not a byte for each pixel")
    }
    self.init(
      channels: channels, height: height, width: width, bytes: Array(bytes),
      caption: try container.decode(String.self, forKey: .caption),
      verdict: try container.decodeIfPresent(Verdict.self, forKey: .verdict))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(channels, forKey: .channels)
    try container.encode(height, forKey: .height)
    try container.encode(width, forKey: .width)
    try container.encode(Data(bytes), forKey: .bytes)
    try container.encode(caption, forKey: .caption)
    try container.encodeIfPresent(verdict, forKey: .verdict)
  }
}
