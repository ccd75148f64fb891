/// Finds the names somebody may have meant.
package enum Spelling {
  /// The names nearest to a word, best first; none that is far off.
  package static func nearest(to word: String, in names: [String], most: Int = 3) -> [String] {
    guard word.utf8.count <= 60 else { return [] }
    let letters = Array(word.lowercased())
    let limit = letters.count < 2 ? 0 : max(1, letters.count / 3)
    // Of names that are equally far off, the one that begins alike is the likelier.
    var found: [(distance: Int, unlike: Int, name: String)] = []
    for name in Set(names).sorted() where name != word && abs(name.utf8.count - word.utf8.count) <= 2 * limit + 4 {
      let distance = distance(letters, Array(name.lowercased()))
      if distance <= limit {
        found.append((distance, letters.count - shared(letters, name), name))
      } else if letters.count >= 4, name.lowercased().hasPrefix(word.lowercased()) {
        found.append((limit + 1, 0, name))
      }
    }
    return found.sorted { ($0.distance, $0.unlike, $0.name) < ($1.distance, $1.unlike, $1.name) }
      .prefix(most).map(\.name)
  }

  /// How many letters two words begin with.
  private static func shared(_ letters: [Character], _ name: String) -> Int {
    Swift.zip(letters, name.lowercased()).prefix { $0 == $1 }.count
  }

  /// How many letters must be put in, taken out, changed, or swapped with their neighbour.
  private static func distance(_ a: [Character], _ b: [Character]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in 0..<a.count {
      var row = [i + 1]
      row.reserveCapacity(b.count + 1)
      for j in 0..<b.count {
        var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforeLast[j - 1] + 1) }
        row.append(best)
      }
      (beforeLast, last) = (last, row)
    }
    return last[b.count]
  }
}
