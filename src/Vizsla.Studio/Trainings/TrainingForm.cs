using System.Text;
using Vizsla.Models;
using Vizsla.Studio.Runs;
using Vizsla.Training.Arguments;

namespace Vizsla.Studio.Trainings;

/// <summary>The command line that trains, and what it offers.</summary>
/// <param name="Words">The program and its first words, such as <c>dotnet vizsla.dll</c>.</param>
/// <param name="Recipes">Files of the recipes by name.</param>
/// <param name="Options">Names of the options of its verb <c>train</c>, without dashes.</param>
internal sealed record TrainingProgram(IReadOnlyList<string> Words, IReadOnlyDictionary<string, string> Recipes, IReadOnlyCollection<string> Options);

/// <summary>What the page asks of a training: the text of each field.</summary>
/// <param name="Fields">Text by field; a field that is left out is empty.</param>
internal sealed record TrainingForm(IReadOnlyDictionary<string, string> Fields)
{
    public const string Dataset = "dataset";
    public const string Model = "model";
    public const string FromScratch = "from_scratch";
    public const string ImageSize = "image_size";
    public const string Recipe = "config";
    public const string Run = "name";
    public const string More = "more";

    private static readonly string[] Own = [Dataset, Model, FromScratch, ImageSize, Recipe, Run, More];

    // What has a field, what belongs to the queue, and what would be shown to everybody.
    private static readonly string[] Taken = [Dataset, Model, FromScratch, ImageSize, Recipe, "output", "output_dir", "logging_dir", "overwrite_output_dir", "overwrite", "resume_from_checkpoint", "find_lr", "log_format", "hub_token", "push_to_hub_token", "help", "version"];

    /// <summary>The arguments that have a field of their own.</summary>
    public static IReadOnlyList<(string Name, string Title, string Example)> Common { get; } =
    [
        ("num_train_epochs", "Epochs", "3"), ("learning_rate", "Learning rate", "5e-5"), ("per_device_train_batch_size", "Batch size", "8"), ("seed", "Seed", "42"), ("freeze", "Freeze", "backbone"),
    ];

    public static TrainingForm Empty { get; } = new(new Dictionary<string, string>());

    /// <summary>The text of a field.</summary>
    public string this[string field] => Fields.GetValueOrDefault(field, "");

    /// <summary>The same with another text in one field.</summary>
    public TrainingForm With(string field, string text)
    {
        var fields = new Dictionary<string, string>(Fields) { [field] = text };
        if (text.Length == 0)
        {
            fields.Remove(field);
        }

        return new(fields);
    }

    /// <summary>The fields that an address holds.</summary>
    /// <param name="query">Value by name.</param>
    public static TrainingForm From(IEnumerable<KeyValuePair<string, string>> query)
    {
        var names = Own.Concat(Common.Select(c => c.Name)).ToHashSet();
        return new(query.Where(q => names.Contains(q.Key) && q.Value.Length > 0).ToDictionary());
    }

    /// <summary>Every field for an address; null where it is empty.</summary>
    public IEnumerable<KeyValuePair<string, object?>> ToAddress() =>
        Own.Concat(Common.Select(c => c.Name)).Select(name => KeyValuePair.Create(name, (object?)Fields.GetValueOrDefault(name)));

    /// <summary>The words after the program's name.</summary>
    /// <param name="runs">The folder of runs.</param>
    public IReadOnlyList<string> Words(string runs)
    {
        List<string> words = ["train", "--" + Dataset, this[Dataset].Trim()];
        void Add(string name)
        {
            if (this[name].Trim() is { Length: > 0 } text)
            {
                words.AddRange(["--" + name, text]);
            }
        }

        Add(Model);
        if (this[FromScratch].Length > 0)
        {
            words.Add("--" + FromScratch);
            Add(ImageSize);
        }

        Add(Recipe);
        foreach (var (name, _, _) in Common)
        {
            Add(name);
        }

        words.AddRange(Split(this[More]) ?? []);
        words.AddRange(["--output", Path.Combine(runs, this[Run].Trim())]);
        return words;
    }

    /// <summary>Everything that is wrong with it, a sentence each; what only the training can tell is not among it.</summary>
    /// <param name="program">What the command line offers.</param>
    /// <param name="directory">The folder that paths are relative to.</param>
    public IReadOnlyList<string> Problems(TrainingProgram program, string directory)
    {
        var problems = new List<string>();
        var dataset = this[Dataset].Trim();
        if (dataset.Length == 0)
        {
            problems.Add("A data set is needed: a folder, or owner/name on the Hub.");
        }
        else if (!Path.Exists(Path.Combine(directory, dataset)) && !IsHubName(dataset))
        {
            problems.Add($"There is no folder '{dataset}' where the studio was started, and a name on the Hub is owner/name.");
        }

        if (this[FromScratch].Length > 0 && !Architectures.Variants.Contains(this[Model].Trim()))
        {
            problems.Add($"Random weights go with the name of a model's size, such as vit-tiny, got '{this[Model].Trim()}'; 'vizsla models' lists them.");
        }

        if (RunShelf.NameProblem(this[Run].Trim()) is { } problem)
        {
            problems.Add(problem);
        }

        if (this[Recipe].Length > 0 && !program.Recipes.ContainsKey(this[Recipe]))
        {
            problems.Add($"There is no recipe '{this[Recipe]}'. Recipes: {string.Join(", ", program.Recipes.Keys)}.");
        }

        CheckArguments(program, problems);
        return problems;
    }

    // Values are read as the training will read them.
    private void CheckArguments(TrainingProgram program, List<string> problems)
    {
        var reader = new ArgumentReader();
        if (program.Recipes.TryGetValue(this[Recipe], out var file))
        {
            foreach (var (name, value) in ArgumentReader.ReadFile(file).Where(p => ArgumentTable.Find(p.Key) is not null))
            {
                reader.Take(name, value?.DeepClone());
            }
        }

        var given = Common.Where(c => this[c.Name].Trim().Length > 0).Select(c => (c.Name, Value: this[c.Name].Trim())).ToList();
        if (this[ImageSize].Trim() is { Length: > 0 } side && !(int.TryParse(side, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var pixels) && pixels > 0))
        {
            problems.Add($"The size of the pictures is a number of pixels, got '{side}'.");
        }

        if (Split(this[More]) is not { } words)
        {
            problems.Add("A quotation mark among the further arguments has no partner.");
            words = [];
        }

        for (var i = 0; i < words.Count; i++)
        {
            var (option, name) = (words[i], words[i].TrimStart('-'));
            var value = i + 1 < words.Count && !words[i + 1].StartsWith("--", StringComparison.Ordinal) ? words[++i] : "true";
            if (Taken.Contains(name))
            {
                problems.Add($"'{option}' has a field of its own, or belongs to the queue.");
            }
            else if (!option.StartsWith("--", StringComparison.Ordinal) || !program.Options.Contains(name))
            {
                problems.Add($"'{option}' is not an option of 'vizsla train': expected options as they are typed there, such as --weight_decay 0.01.{Primitives.Suggestion.DidYouMean(name, program.Options)}");
            }
            else
            {
                given.Add((name, value));
            }
        }

        foreach (var twice in given.GroupBy(g => g.Name).Where(g => g.Count() > 1))
        {
            problems.Add($"'--{twice.Key}' is given twice.");
        }

        foreach (var (name, value) in given.Where(g => ArgumentTable.Find(g.Name) is not null || ArgumentTable.Refused.ContainsKey(g.Name)))
        {
            reader.TakeText(name, value);
        }

        try
        {
            reader.Finish();
        }
        catch (ArgumentsException e)
        {
            problems.AddRange(e.Problems);
        }
    }

    private static bool IsHubName(string name) => name.Split('/') is [{ Length: > 0 } owner, { Length: > 0 } repository] && (owner + repository).All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') && owner[0] != '.';

    /// <summary>Words as a shell splits them; null where a quotation mark has no partner.</summary>
    private static List<string>? Split(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var (quote, isWord) = ('\0', false);
        foreach (var c in text)
        {
            if (quote != '\0' ? c == quote : c is '"' or '\'')
            {
                (quote, isWord) = (quote == '\0' ? c : '\0', true);
            }
            else if (quote == '\0' && char.IsWhiteSpace(c))
            {
                Finish();
            }
            else
            {
                word.Append(c);
                isWord = true;
            }
        }

        Finish();
        return quote == '\0' ? words : null;

        void Finish()
        {
            if (isWord)
            {
                words.Add(word.ToString());
                word.Clear();
                isWord = false;
            }
        }
    }
}
