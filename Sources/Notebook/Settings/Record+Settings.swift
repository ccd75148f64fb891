internal import Script

extension Record {
  /// A recipe, or a part of one.
  init(settings: KeyValuePairs<TrainingSetting, Value>) { self.init(settings.map { ($0.key.label, $0.value) }) }

  /// What a recipe says of a setting; nil where it says nothing.
  subscript(setting: TrainingSetting) -> Value? { self[setting.label] }

  /// What holds for a setting: what the recipe says, else the default.
  func value(of setting: TrainingSetting) -> Value {
    if let value = self[setting], value != Value.none { return value }
    return setting.parameter.default ?? Value.none
  }

  func without(_ settings: Set<TrainingSetting>) -> Record {
    Record(fields.filter { name, _ in !settings.contains { $0.label == name } })
  }

  /// The recipe without the settings that had an effect in another one and have none here, such as the end of a warm-up
  /// that is gone.
  /// - Parameter kept: Names that stay in any case.
  func withoutLapsed(since before: Record, keeping kept: Set<String> = []) -> Record {
    without(
      Set(
        names.compactMap(TrainingSetting.init).filter { setting in
          guard let condition = setting.parameter.condition, !kept.contains(setting.label) else { return false }
          return !holds(condition) && before.holds(condition)
        }))
  }

  /// One of some settings that has no effect here, where the recipe itself says what decides, and when it would have one.
  func inapplicable(among names: Set<String>) -> (TrainingSetting, Condition)? {
    for setting in self.names.compactMap(TrainingSetting.init) where names.contains(setting.label) {
      guard let condition = setting.parameter.condition, let value = self[setting], value != Value.none,
        value != setting.parameter.neutral, condition.deciders.contains(where: { self[$0] != nil }), !holds(condition)
      else { continue }
      return (setting, condition)
    }
    return nil
  }

  private func holds(_ condition: Condition) -> Bool {
    condition.holds { label in TrainingSetting(rawValue: label).map(value) ?? Value.none }
  }
}
