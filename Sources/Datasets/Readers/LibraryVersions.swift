internal import CJPEG
internal import CPNG
internal import CWebP
internal import CZlib

/// The libraries that images are decoded with, which decide what their pixels are.
public enum ImageLibraries {
  /// Names with versions: `libjpeg-turbo 2.1.5`.
  public static var versions: [String] {
    let webP = WebPGetDecoderVersion()
    return [
      "libjpeg-turbo \(String(cString: cjpeg_version()))", "libpng \(String(cString: cpng_version()))",
      "libwebp \(webP >> 16).\(webP >> 8 & 0xFF).\(webP & 0xFF)", "zlib \(String(cString: zlibVersion()))",
    ]
  }
}
