internal import CCmark
internal import Foundation

/// CommonMark as a page shows it: no HTML of its own, no link that runs something, and no image, which a browser would
/// ask others for; a link stands in its place.
struct Markdown {
  struct Heading: Hashable {
    let level: Int
    let text, anchor: String
  }

  private(set) var html = ""
  private(set) var headings: [Heading] = []

  /// - Parameter anchors: What headings of the page are called so far; those of this text are added.
  init(_ markdown: String, _ anchors: inout Set<String>) {
    let markdown = HTML.visible(markdown)
    guard let document = cmark_parse_document(markdown, markdown.utf8.count, CMARK_OPT_DEFAULT) else { return }
    defer { cmark_node_free(document) }
    Self.replaceImages(in: document)
    guard let text = cmark_render_html(document, CMARK_OPT_DEFAULT) else { return }
    html = String(cString: text)
    free(text)
    html = withAnchors(html, Self.headings(of: document), &anchors)
  }

  private static func nodes(of document: OpaquePointer, _ kind: cmark_node_type) -> [OpaquePointer] {
    guard let iterator = cmark_iter_new(document) else { return [] }
    defer { cmark_iter_free(iterator) }
    var nodes: [OpaquePointer] = []
    while true {
      let event = cmark_iter_next(iterator)
      if event == CMARK_EVENT_DONE { return nodes }
      guard event == CMARK_EVENT_ENTER, let node = cmark_iter_get_node(iterator) else { continue }
      if cmark_node_get_type(node) == kind { nodes.append(node) }
    }
  }

  private static func replaceImages(in document: OpaquePointer) {
    for image in nodes(of: document, CMARK_NODE_IMAGE) {
      if isWithinLink(image) {
        while let child = cmark_node_first_child(image), cmark_node_insert_before(image, child) == 1 {}
      } else if let link = cmark_node_new(CMARK_NODE_LINK) {
        cmark_node_set_url(link, cmark_node_get_url(image))
        while let child = cmark_node_first_child(image), cmark_node_append_child(link, child) == 1 {}
        if cmark_node_insert_before(image, link) != 1 { cmark_node_free(link) }
      }
      cmark_node_unlink(image)
      cmark_node_free(image)
    }
  }

  private static func isWithinLink(_ node: OpaquePointer) -> Bool {
    var node = cmark_node_parent(node)
    while let parent = node {
      if cmark_node_get_type(parent) == CMARK_NODE_LINK { return true }
      node = cmark_node_parent(parent)
    }
    return false
  }

  /// Levels and plain texts.
  private static func headings(of document: OpaquePointer) -> [(level: Int, text: String)] {
    nodes(of: document, CMARK_NODE_HEADING).map { heading in
      let text = [CMARK_NODE_TEXT, CMARK_NODE_CODE, CMARK_NODE_SOFTBREAK]
      guard let iterator = cmark_iter_new(heading) else { return (1, "") }
      defer { cmark_iter_free(iterator) }
      var words = ""
      while true {
        let event = cmark_iter_next(iterator)
        if event == CMARK_EVENT_DONE { break }
        guard event == CMARK_EVENT_ENTER, let node = cmark_iter_get_node(iterator),
          text.contains(cmark_node_get_type(node))
        else { continue }
        words += cmark_node_get_literal(node).map { String(cString: $0) } ?? " "
      }
      return (Int(cmark_node_get_heading_level(heading)), words)
    }
  }

  /// cmark writes each heading as `<h2>` at the beginning of a line or behind a tag, and escapes every `<` of the text.
  private mutating func withAnchors(
    _ html: String, _ found: [(level: Int, text: String)], _ anchors: inout Set<String>
  ) -> String {
    var (result, rest) = ("", html[...])
    for (level, text) in found {
      guard let place = rest.range(of: "<h\(level)>") else { break }
      let heading = Heading(level: level, text: text, anchor: Self.anchor(text, &anchors))
      headings.append(heading)
      result += rest[..<place.lowerBound] + "<h\(level) id=\"\(heading.anchor)\">"
      rest = rest[place.upperBound...]
    }
    return result + rest
  }

  /// A name for a place of the page that no other has.
  static func anchor(_ text: String, _ anchors: inout Set<String>) -> String {
    let words = text.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }.joined(separator: "-")
    let name = words.isEmpty ? "part" : String(words.prefix(60))
    var (anchor, number) = (name, 2)
    while !anchors.insert(anchor).inserted {
      anchor = "\(name)-\(number)"
      number += 1
    }
    return anchor
  }
}
