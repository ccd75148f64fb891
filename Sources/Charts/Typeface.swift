import CGD
import Foundation

/// What text is drawn with.
public enum Typeface: Hashable, Sendable {
  /// Outline fonts: paths of files that FreeType reads.
  case freeType(regular: String, bold: String)
  /// The bitmap fonts inside libgd, which are always there. They have Latin-2 letters; others are replaced.
  case builtIn

  /// The font that the environment variable `REPRISE_FONT` names, else DejaVu Sans where Debian keeps it, else gd's own.
  ///
  /// The bold companion of `Name.ttf` is `Name-Bold.ttf`; where that is missing, `Name.ttf` stands in.
  public static var standard: Typeface {
    Typeface(path: wanted) ?? Typeface(path: "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf") ?? .builtIn
  }

  private static var wanted: String { ProcessInfo.processInfo.environment["REPRISE_FONT"] ?? "" }

  /// Why the font that `REPRISE_FONT` names is not the one that text is drawn with; nil where it is, or names none.
  public static var standardProblem: String? {
    guard !wanted.isEmpty, Typeface(path: wanted) == nil else { return nil }
    return "REPRISE_FONT names '\(wanted)', which is no font that FreeType can read; another font is used"
  }

  /// The typeface of a font file, or `nil` if FreeType cannot read it.
  public init?(path: String) {
    // gd takes a list of fonts, separated by semicolons, and looks for names without a slash in places of its own.
    guard !path.isEmpty, !path.contains(";"), !path.contains("\0") else { return nil }
    let path = path.contains("/") ? path : "./" + path
    guard Typeface.isReadable(path) else { return nil }
    let end = path.lastIndex(of: ".") ?? path.endIndex
    let bold = path[..<end] + "-Bold" + path[end...]
    self = .freeType(regular: path, bold: Typeface.isReadable(String(bold)) ? String(bold) : path)
  }

  private static func isReadable(_ path: String) -> Bool {
    let file = URL(fileURLWithPath: path).resolvingSymlinksInPath()
    guard let values = try? file.resourceValues(forKeys: [.isRegularFileKey]),
      values.isRegularFile == true
    else { return false }
    var bounds: [Int32] = Array(repeating: 0, count: 8)
    return unsafe gdImageStringFT(nil, &bounds, 0, path, 12, 0, 0, 0, "x") == nil
  }

  var hasSuperscripts: Bool { self != .builtIn }

  /// gd wants points, and draws 96 pixels an inch.
  static func points(_ pixels: Double) -> Double { pixels * 72 / 96 }

  /// The text without what gd takes for HTML.
  static func escaped(_ text: String) -> String { text.replacing("&", with: "&amp;") }

  /// How far a line of text reaches. Pixels.
  func width(of text: String, size: Double, bold isBold: Bool = false) -> Double {
    guard !text.isEmpty else { return 0 }
    switch self {
    case .freeType(let regular, let bold):
      var bounds: [Int32] = Array(repeating: 0, count: 8)
      let failure = unsafe gdImageStringFT(
        nil, &bounds, 0, isBold ? bold : regular, Typeface.points(size), 0, 0, 0, Typeface.escaped(text))
      guard unsafe failure == nil else { return 0 }
      return Double(max(bounds[2], bounds[4]))
    case .builtIn:
      let font = BitmapFont(size: size, isBold: isBold)
      return Double(BitmapFont.encoded(text).count * font.width * font.scale)
    }
  }

  /// How far letters rise above and fall below the baseline. Pixels.
  func extent(size: Double) -> (ascent: Double, descent: Double) {
    switch self {
    case .freeType: (size * 0.78, size * 0.24)
    case .builtIn:
      BitmapFont(size: size, isBold: true).extent
    }
  }

  /// The text as one line no wider than `limit`: where it is longer, it ends in an ellipsis.
  func fit(_ text: String, into limit: Double, size: Double, bold: Bool = false) -> String {
    // Nothing longer fits into a picture, and measuring it would take time.
    let line = String(
      text.prefix(1000).map { character in
        character.isNewline || character.unicodeScalars.allSatisfy { $0.value < 32 || $0.value == 127 }
          ? " " : character
      })
    guard text.count > 1000 || width(of: line, size: size, bold: bold) > limit else { return line }
    let characters = Array(line)
    var (fits, tooLong) = (0, characters.count + 1)
    func cut(_ count: Int) -> String {
      var start = characters[..<count]
      while start.last == " " { start.removeLast() }
      return String(start) + "…"
    }
    while fits + 1 < tooLong {
      let middle = (fits + tooLong) / 2
      if width(of: cut(middle), size: size, bold: bold) <= limit { fits = middle } else { tooLong = middle }
    }
    return fits > 0 ? cut(fits) : ""
  }
}

extension Typeface {
  /// The text in at most `lines` lines no wider than `limit`, broken between words where that is possible. What is too
  /// long ends in an ellipsis.
  func wrapped(_ text: String, into limit: Double, lines: Int, size: Double, bold: Bool = false) -> [String] {
    let whole = fit(text, into: .infinity, size: size, bold: bold)
    guard lines > 1, width(of: whole, size: size, bold: bold) > limit else {
      return [fit(whole, into: limit, size: size, bold: bold)]
    }
    let words = whole.split(separator: " ")
    var (first, rest) = ("", words[...])
    while let word = rest.first {
      let longer = first.isEmpty ? String(word) : "\(first) \(word)"
      guard width(of: longer, size: size, bold: bold) <= limit else { break }
      first = longer
      rest.removeFirst()
    }
    guard !first.isEmpty else { return [fit(whole, into: limit, size: size, bold: bold)] }
    let others = rest.joined(separator: " ")
    return rest.isEmpty
      ? [first] : [first] + wrapped(others, into: limit, lines: lines - 1, size: size, bold: bold)
  }
}

/// One of gd's bitmap fonts, enlarged by an integer.
@safe struct BitmapFont {
  private let font: gdFontPtr
  let scale: Int

  /// The font that comes nearest to `size` pixels.
  init(size: Double, isBold: Bool) {
    // The smallest of gd's fonts, 8 rows high, is hard to read and not used.
    scale = max(1, Int((size / 16).rounded()))
    let isSmall = size / Double(scale) < 13.5
    let font: gdFontPtr? =
      isBold
      ? unsafe isSmall ? gdFontGetMediumBold() : gdFontGetGiant()
      : unsafe isSmall ? gdFontGetSmall() : gdFontGetLarge()
    unsafe self.font = font!  // static data of libgd, never NULL
  }

  var width: Int { Int(unsafe font.pointee.w) }
  private var height: Int { Int(unsafe font.pointee.h) }

  /// A quarter of the rows lies below the baseline. Pixels.
  var extent: (ascent: Double, descent: Double) {
    let below = Double(height) * 0.25
    return ((Double(height) - below.rounded()) * Double(scale), below.rounded() * Double(scale))
  }

  /// Calls `body` with the top left corner of every dot, relative to the start of the baseline.
  func forEachPixel(of text: String, _ body: (_ x: Double, _ y: Double) -> Void) {
    for (place, code) in BitmapFont.encoded(text).enumerated() {
      let glyph = unsafe Int(code) - Int(font.pointee.offset)
      // In bounds: the font has `nchars` glyphs of `w · h` bytes.
      guard unsafe glyph >= 0 && glyph < Int(font.pointee.nchars) else { continue }
      for y in 0..<height {
        for x in 0..<width where unsafe font.pointee.data[(glyph * height + y) * width + x] != 0 {
          body(Double((place * width + x) * scale), Double(y * scale) - extent.ascent)
        }
      }
    }
  }

  /// The text in Latin-2, the fonts' code, with the nearest that it has for other characters.
  static func encoded(_ text: String) -> [UInt8] {
    text.flatMap { character -> [UInt8] in
      if let ascii = character.asciiValue { return [ascii] }
      if let replacement = replacements[character] { return Array(replacement.utf8) }
      if let data = String(character).data(using: .isoLatin2), data.count == 1 { return Array(data) }
      let plain = String(character).folding(options: .diacriticInsensitive, locale: nil)
      return Array(plain.utf8).count == 1 ? Array(plain.utf8) : [UInt8(ascii: "?")]
    }
  }

  private static let replacements: [Character: String] = [
    "–": "-", "—": "-", "−": "-", "‑": "-", "…": "...", "‘": "'", "’": "'", "“": "\"", "”": "\"", "·": "*", "•": "*",
    "≤": "<=", "≥": ">=", "≈": "~", "→": "->", "←": "<-", "±": "+-", "×": "x", "\u{A0}": " ", "\u{202F}": " ",
    "\u{2009}": " ", "⁰": "0", "¹": "1", "²": "2", "³": "3", "⁴": "4", "⁵": "5", "⁶": "6", "⁷": "7", "⁸": "8", "⁹": "9",
    "⁻": "-", "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "Δ": "Delta", "ε": "eps", "η": "eta",
    "θ": "theta", "λ": "lambda", "μ": "mu", "µ": "u", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi",
    "ω": "omega",
  ]
}
