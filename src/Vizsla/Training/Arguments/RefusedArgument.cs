using System.Text.Json.Nodes;
using Vizsla.Primitives;

namespace Vizsla.Training.Arguments;

/// <summary>An argument of the Python Trainer that cannot be changed here.</summary>
public sealed class RefusedArgument
{
    private readonly string[] _accepted;

    /// <summary>Makes the entry.</summary>
    /// <param name="name">Name in snake case.</param>
    /// <param name="reason">Why, as half a sentence.</param>
    /// <param name="accepted">Values besides null that are what happens anyway.</param>
    internal RefusedArgument(string name, string reason, params JsonNode[] accepted)
    {
        (Name, Reason) = (name, reason);
        _accepted = [.. accepted.Select(Text)];
    }

    /// <summary>Name in snake case.</summary>
    public string Name { get; }

    /// <summary>Why, as half a sentence.</summary>
    public string Reason { get; }

    /// <summary>The sentence for a value that cannot be had; null where the value is what happens anyway.</summary>
    /// <param name="value">The value that was asked for.</param>
    public string? Refuse(JsonNode? value) => value is null || _accepted.Contains(Text(value))
        ? null
        : $"{Name} cannot be {Text(value)}: {Reason}. Leave it out.";

    private static string Text(JsonNode value) => PythonJson.Serialize(value, indent: null);
}
