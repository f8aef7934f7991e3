using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Primitives;

namespace Vizsla.Training.Arguments;

/// <summary>Makes <see cref="TrainingArguments"/> of names and values, and says everything that is wrong with them at once.</summary>
/// <remarks>Takes the names of transformers 4.57 and 5.x. Source: <c>HfArgumentParser</c>.</remarks>
internal sealed class ArgumentReader
{
    private readonly TrainingArguments _arguments;
    private readonly List<string> _problems = [];

    /// <summary>Starts from a set of arguments.</summary>
    /// <param name="basis">What holds where nothing is said; null for the defaults.</param>
    public ArgumentReader(TrainingArguments? basis = null) => _arguments = (basis ?? new TrainingArguments()) with { };

    /// <summary>Reads a JSONC file: an object with comments and trailing commas, its keys the names of arguments.</summary>
    /// <param name="path">Path of the file.</param>
    /// <returns>The object.</returns>
    /// <exception cref="ArgumentsException">The file is absent or is not such an object.</exception>
    public static JsonObject ReadFile(string path)
    {
        try
        {
            var options = new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, AllowDuplicateProperties = false };
            return JsonNode.Parse(File.ReadAllText(path), documentOptions: options) as JsonObject
                ?? throw new ArgumentsException($"The configuration '{path}' must hold one object of names and values.");
        }
        catch (JsonException e)
        {
            throw new ArgumentsException($"The configuration '{path}' is not JSON: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ArgumentsException($"The configuration '{path}' cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Takes all values of an object; those already taken are overruled.</summary>
    /// <param name="values">Values by name.</param>
    public ArgumentReader Take(JsonObject values)
    {
        ArgumentNullException.ThrowIfNull(values);
        foreach (var (name, value) in values)
        {
            Take(name, value);
        }

        return this;
    }

    /// <summary>Takes a flag of the command line.</summary>
    /// <param name="name">Name, with or without leading dashes.</param>
    /// <param name="text">Its value as text; lists are comma separated, objects JSON or <c>name=value,name=value</c>.</param>
    public ArgumentReader TakeText(string name, string text)
    {
        var value = ArgumentTable.Find(name) is { } field ? ArgumentText.ToJson(field.Type, text) : ArgumentText.Guess(text);
        return Take(name, value);
    }

    /// <summary>Takes one value.</summary>
    /// <param name="name">Name in snake case, or an older spelling.</param>
    /// <param name="value">The value.</param>
    public ArgumentReader Take(string name, JsonNode? value)
    {
        ArgumentNullException.ThrowIfNull(name);
        var folded = name.TrimStart('-').Replace('-', '_');
        if (ArgumentTable.Refused.TryGetValue(folded, out var refused))
        {
            Note(refused.Refuse(value));
        }
        else if (folded == ArgumentTable.AdafactorFlag)
        {
            TakeAdafactor(value);
        }
        else if (ArgumentTable.Find(folded) is not { } field)
        {
            Note($"Unknown argument '{name}'.{Suggestion.DidYouMean(folded, ArgumentTable.KnownNames)}");
        }
        else if (value is not null || field.Name == folded)
        {
            // The older spellings default to null in Python, which means: not given.
            Set(field, value);
        }

        return this;
    }

    /// <summary>The arguments, checked against each other.</summary>
    /// <exception cref="ArgumentsException">Something that was taken is unknown, malformed or contradicts the rest; names every problem.</exception>
    public TrainingArguments Finish()
    {
        // A value that could not be read says nothing about the rest.
        var problems = _problems.Concat(ArgumentChecks.Problems(_arguments)).ToList();
        return problems.Count == 0 ? _arguments with { } : throw new ArgumentsException(problems);
    }

    private void TakeAdafactor(JsonNode? value)
    {
        if (value?.GetValueKind() == JsonValueKind.True)
        {
            Set(ArgumentTable.Find("optim")!, "adafactor");
        }
    }

    private void Set(ArgumentField field, JsonNode? value)
    {
        try
        {
            field.Set(_arguments, ArgumentText.FromJson(field, value));
        }
        catch (FormatException e)
        {
            Note(e.Message);
        }
    }

    private void Note(string? problem)
    {
        if (problem is not null)
        {
            _problems.Add(problem);
        }
    }
}
