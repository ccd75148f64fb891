import Foundation

/// How many files the system lets this process have open at once.
enum OpenFiles {
  /// Fewer than this, and the store, the system's libraries and a data set's files do not fit beside each other.
  static let least = 16

  /// Takes all that the system allows: shells often set a limit that whoever needs more may raise.
  static func allowMore() {
    guard var limit, limit.rlim_cur < limit.rlim_max else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(resource, &limit)
  }

  /// Why nothing can be computed; nil where it can.
  static var problem: String? {
    guard let limit, limit.rlim_cur < rlim_t(least) else { return nil }
    return "at most \(limit.rlim_cur) files may be open at once, \(least) are needed: ulimit -n"
  }

  private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)

  private static var limit: rlimit? {
    var limit = rlimit()
    return getrlimit(resource, &limit) == 0 ? limit : nil
  }
}
