internal import CGD

/// The library that charts are drawn with.
public enum DrawingLibrary {
  /// Its name and version: `gd 2.3.3`.
  public static var version: String { "gd \(String(cString: gdVersionString()))" }
}
