extension Source {
  /// The names that this gives values to; empty where it is no script.
  package var givenNames: Set<String> { Set(AssignedNames(Parser.parse(self).program.statements).names.map(\.text)) }
}
