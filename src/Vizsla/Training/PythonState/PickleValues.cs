namespace Vizsla.Training.PythonState;

/// <summary>Typed access to what a pickle described, with a sentence where it is something else.</summary>
/// <param name="path">The file, for the sentence.</param>
/// <param name="value">The value.</param>
internal sealed class PickleValues(string path, object? value)
{
    /// <summary>The value as it was read.</summary>
    public object? Value => value;

    /// <summary>Itself, when it is a dictionary with these keys.</summary>
    public PickleValues Map(params string[] keys) =>
        value is Dictionary<object, object?> map && keys.All(map.ContainsKey)
            ? this
            : throw Refuse($"a dictionary with the keys {string.Join(", ", keys.Select(k => $"'{k}'"))}");

    /// <summary>The value of a key.</summary>
    public PickleValues Child(string key) => new(path, Entries().TryGetValue(key, out var found) ? found : throw Refuse($"a dictionary with the key '{key}'"));

    /// <summary>The value of a key; null where the dictionary lacks it.</summary>
    public PickleValues? Find(object? key) => key is not null && Entries().TryGetValue(key, out var found) ? new(path, found) : null;

    /// <summary>The items of the list at a key.</summary>
    public IReadOnlyList<PickleValues> List(string key) => Child(key).Value switch
    {
        List<object?> list => [.. list.Select(item => new PickleValues(path, item))],
        object?[] tuple => [.. tuple.Select(item => new PickleValues(path, item))],
        _ => throw Refuse($"a list at '{key}'"),
    };

    /// <summary>The number at a key.</summary>
    public double Number(string key) => Child(key).AsNumber(key);

    /// <summary>The value as a number.</summary>
    /// <param name="where">What it is, for the sentence.</param>
    public double AsNumber(string where) => value switch
    {
        double number => number,
        long whole => whole,
        _ => throw Refuse($"a number at '{where}'"),
    };

    /// <summary>The entries whose keys are texts.</summary>
    public IEnumerable<(string Name, object? Value)> Items() =>
        Entries().Where(e => e.Key is string).Select(e => ((string)e.Key, e.Value));

    /// <summary>An exception that says what was expected.</summary>
    public TrainingException Refuse(string expected) => new($"'{path}' is not what a checkpoint of Python's Trainer holds: expected {expected}.");

    private Dictionary<object, object?> Entries() => value as Dictionary<object, object?> ?? throw Refuse("a dictionary");
}
