namespace Vizsla.Hub.Cards;

/// <summary>Metadata that is no YAML, or YAML that a card cannot hold.</summary>
public sealed class YamlException(string message, Exception? inner = null) : FormatException(message, inner);
