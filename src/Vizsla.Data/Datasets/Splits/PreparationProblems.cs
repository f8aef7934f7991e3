using System.Text;

namespace Vizsla.Datasets.Splits;

/// <summary>Everything wrong with an input, told at once.</summary>
internal sealed class PreparationProblems
{
    private readonly StringBuilder _text = new();

    /// <summary>Adds a heading and its cases, one a line; nothing where there are none.</summary>
    /// <param name="heading">Given the number of cases; ends with what to do.</param>
    /// <param name="cases">The cases.</param>
    public void Add(Func<int, string> heading, IReadOnlyCollection<string> cases)
    {
        if (cases.Count == 0)
        {
            return;
        }

        _text.Append(_text.Length > 0 ? "\n" : "").Append(heading(cases.Count));
        foreach (var line in cases)
        {
            _text.Append("\n  ").Append(line);
        }
    }

    /// <exception cref="DatasetException">Something was added.</exception>
    public void ThrowIfAny()
    {
        if (_text.Length > 0)
        {
            throw new DatasetException(_text.ToString());
        }
    }

    /// <summary>"1 picture", "2 pictures".</summary>
    public static string Plural(int count, string one, string many) => count == 1 ? $"1 {one}" : $"{count} {many}";
}
