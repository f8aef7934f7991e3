using System.Globalization;
using Vizsla.Primitives;
using Vizsla.Training.Arguments;

namespace Vizsla.Cli.Jobs;

/// <summary>What one argument of <c>train</c> is tried with: a list of values, or a range.</summary>
/// <param name="Name">The argument, such as <c>learning_rate</c>.</param>
/// <param name="Values">The values of a list, as they are typed; empty for a range.</param>
/// <param name="Low">Lower bound of a range.</param>
/// <param name="High">Upper bound of a range.</param>
/// <param name="IsLogarithmic">Whether a range is drawn from by its logarithm.</param>
/// <param name="IsWhole">Whether a range holds whole numbers only.</param>
internal sealed record TuningArgument(string Name, IReadOnlyList<string> Values, double Low, double High, bool IsLogarithmic, bool IsWhole)
{
    private const string Logarithmic = "log";

    // Set for each trial, or what makes a trial another one's continuation.
    private static readonly string[] s_taken = ["output", "output_dir", "config", "resume_from_checkpoint", "overwrite_output_dir", "do_predict", "find_lr"];

    /// <summary>Whether it is a range, which a grid cannot go through.</summary>
    public bool IsRange => Values.Count == 0;

    /// <summary>Reads <c>name=a,b,c</c> or <c>name=low:high[:log]</c>.</summary>
    /// <param name="text">What was typed.</param>
    /// <param name="known">The options of <c>train</c> without their dashes.</param>
    /// <exception cref="UsageException">It is neither, or there is no such option.</exception>
    public static TuningArgument Parse(string text, IReadOnlyCollection<string> known)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var name = (equals < 0 ? text : text[..equals]).TrimStart('-').Replace('-', '_');
        var right = equals < 0 ? "" : text[(equals + 1)..];
        if (name.Length == 0 || right.Length == 0)
        {
            throw new UsageException($"--search takes name=value,value or name=low:high[:log], got '{text}'.");
        }

        if (!known.Contains(name) || s_taken.Contains(name))
        {
            throw new UsageException(s_taken.Contains(name)
                ? $"--search {name}: 'vizsla tune' sets this for each trial itself; leave it out."
                : $"--search {name}: 'vizsla train' has no option --{name}.{Suggestion.DidYouMean(name, known)}");
        }

        var missing = ArgumentTable.Fields.FirstOrDefault(f => f.Name == name)?.Default;
        var parts = right.Split(':');
        if (missing is not (int or long or double or float) || parts.Length is not (2 or 3))
        {
            var values = right.Split(',', StringSplitOptions.TrimEntries);
            return values.Any(v => v.Length == 0) || values.Distinct().Count() < values.Length
                ? throw new UsageException($"--search {name}: '{right}' has an empty or repeated value; give each once.")
                : new(name, values, 0, 0, false, false);
        }

        if (!Number(parts[0], out var low) || !Number(parts[1], out var high) || low >= high || (parts.Length == 3 && (parts[2] != Logarithmic || low <= 0)))
        {
            throw new UsageException($"--search {name}: '{right}' is no range; expected low:high, or low:high:log with a low above 0.");
        }

        return new(name, [], low, high, parts.Length == 3, missing is int or long);
    }

    /// <summary>A value of the list or the range.</summary>
    public string Draw(Rng rng)
    {
        if (!IsRange)
        {
            return Values[rng.NextInt32(0, Values.Count)];
        }

        var share = rng.NextDouble();
        var drawn = IsLogarithmic ? Math.Exp(Math.Log(Low) + (share * (Math.Log(High) - Math.Log(Low)))) : Low + (share * (High - Low));

        // Four digits are as good as sixteen, and read better.
        return IsWhole ? Math.Round(drawn).ToString("0", CultureInfo.InvariantCulture) : double.Parse(drawn.ToString("G4", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture).ToString("R", CultureInfo.InvariantCulture);
    }

    private static bool Number(string text, out double number) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);
}

/// <summary>The settings that a search tries.</summary>
internal static class TuningPlan
{
    private const int MostSettings = 10_000;
    private const int Patience = 100;

    /// <summary>Every combination of the lists, the last argument changing fastest.</summary>
    /// <exception cref="UsageException">There is a range among them, or there are too many.</exception>
    public static IReadOnlyList<IReadOnlyList<string>> Grid(IReadOnlyList<TuningArgument> space)
    {
        if (space.FirstOrDefault(a => a.IsRange) is { } range)
        {
            throw new UsageException($"--search {range.Name} is a range, which a grid cannot go through; list its values, or add --trials to draw from it.");
        }

        var count = space.Aggregate(1.0, (product, a) => product * a.Values.Count);
        if (count > MostSettings)
        {
            throw new UsageException(Invariant($"The grid has {count:0} settings, more than {MostSettings}; leave values out, or add --trials to draw from it."));
        }

        IEnumerable<IReadOnlyList<string>> settings = [[]];
        foreach (var argument in space)
        {
            settings = settings.SelectMany(s => argument.Values.Select(v => (IReadOnlyList<string>)[.. s, v])).ToList();
        }

        return [.. settings];
    }

    /// <summary>Settings drawn at random, none twice; fewer where there are no more.</summary>
    /// <param name="space">The arguments.</param>
    /// <param name="count">How many.</param>
    /// <param name="seed">Of the draws.</param>
    public static IReadOnlyList<IReadOnlyList<string>> Random(IReadOnlyList<TuningArgument> space, int count, ulong seed)
    {
        var (rng, found, seen) = (new Rng(seed), new List<IReadOnlyList<string>>(), new HashSet<string>());
        for (var misses = 0; found.Count < count && misses < Patience;)
        {
            var drawn = space.Select(a => a.Draw(rng)).ToList();
            if (seen.Add(string.Join('\n', drawn)))
            {
                found.Add(drawn);
                misses = 0;
            }
            else
            {
                misses++;
            }
        }

        return found;
    }

    /// <summary>Epochs of each round of successive halving: a third as many in each earlier one, as long as a setting is dropped in it.</summary>
    /// <param name="settings">Settings of the first round.</param>
    /// <param name="epochs">Epochs of the last round.</param>
    /// <remarks>Source: Jamieson and Talwalkar, "Non-stochastic Best Arm Identification" (2016), with a factor of 3 as in Hyperband.</remarks>
    public static IReadOnlyList<(int Settings, double Epochs)> Rounds(int settings, double epochs)
    {
        const int Factor = 3;
        var counts = new List<int> { settings };
        while (counts[^1] > 1)
        {
            counts.Add((counts[^1] + Factor - 1) / Factor);
        }

        return [.. counts.Select((count, i) => (count, Math.Round(epochs / Math.Pow(Factor, counts.Count - 1 - i), 3)))];
    }

    /// <summary>Share of the differences between trials that the values of one argument explain, 0 to 1; values of a range in quarters.</summary>
    /// <param name="argument">The argument.</param>
    /// <param name="trials">Its value and what came out, for each trial.</param>
    public static double Explained(TuningArgument argument, IReadOnlyList<(string Value, double Result)> trials)
    {
        const int Quarters = 4;
        var mean = trials.Average(t => t.Result);
        var total = trials.Sum(t => (t.Result - mean) * (t.Result - mean));
        var groups = argument.IsRange
            ? trials.OrderBy(t => double.Parse(t.Value, CultureInfo.InvariantCulture)).Select((t, i) => (Group: $"{i * Quarters / trials.Count}", t.Result)).GroupBy(t => t.Group, t => t.Result)
            : trials.GroupBy(t => t.Value, t => t.Result);
        var between = groups.Sum(g => g.Count() * (g.Average() - mean) * (g.Average() - mean));
        return total > 0 ? between / total : 0;
    }
}
