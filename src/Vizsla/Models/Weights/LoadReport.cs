using System.Globalization;
using System.Text;

namespace Vizsla.Models.Weights;

/// <summary>How the weights of a file fit a model.</summary>
/// <param name="ClassName">The model's class in Python, such as <c>ViTForImageClassification</c>.</param>
/// <param name="Source">The folder or name that the weights came from.</param>
/// <param name="Missing">Weights of the model that the file does not hold; drawn anew.</param>
/// <param name="Unexpected">Weights of the file that the model does not have; not used.</param>
/// <param name="Mismatched">Weights that both have, in different shapes; drawn anew.</param>
/// <remarks>Source: transformers 5 <c>LoadStateDictInfo</c>, <c>log_state_dict_report</c>.</remarks>
public sealed record LoadReport(
    string ClassName,
    string Source,
    IReadOnlyList<string> Missing,
    IReadOnlyList<string> Unexpected,
    IReadOnlyList<ShapeMismatch> Mismatched)
{
    /// <summary>Whether every weight was found in its shape and none was left over.</summary>
    public bool IsClean => Missing.Count + Unexpected.Count + Mismatched.Count == 0;

    /// <summary>Weights drawn anew, because they were missing or had another shape.</summary>
    public IReadOnlyList<string> NewlyInitialized => [.. Missing, .. Mismatched.Select(m => m.Name)];

    /// <summary>What transformers 5 prints: a title, a table of key, status and details, and what each status means; null when nothing is to be said.</summary>
    public string? Message => IsClean ? null : $"{ClassName} LOAD REPORT from: {Source}\n{Table()}{Notes()}";

    /// <summary>What transformers 4 prints when weights were drawn anew; null when none were.</summary>
    public string? NewlyInitializedMessage
    {
        get
        {
            if (NewlyInitialized.Count == 0)
            {
                return null;
            }

            var text = new StringBuilder();
            var culture = CultureInfo.InvariantCulture;
            if (Missing.Count > 0)
            {
                text.Append(culture, $"Some weights of {ClassName} were not initialized from the model checkpoint at {Source} and are newly initialized: [{string.Join(", ", Missing.Order(StringComparer.Ordinal).Select(n => $"'{n}'"))}]\n");
            }

            if (Mismatched.Count > 0)
            {
                text.Append(culture, $"Some weights of {ClassName} were not initialized from the model checkpoint at {Source} and are newly initialized because the shapes did not match:\n");
                foreach (var m in Mismatched.OrderBy(m => m.Name, StringComparer.Ordinal))
                {
                    text.Append(culture, $"- {m.Name}: found shape {ShapeMismatch.Size(m.FileShape)} in the checkpoint and {ShapeMismatch.Size(m.ModelShape)} in the model instantiated\n");
                }
            }

            return text.Append("You should probably TRAIN this model on a down-stream task to be able to use it for predictions and inference.").ToString();
        }
    }

    /// <summary>What torch says of weights in another shape, with transformers' advice; null when there is none.</summary>
    public string? SizeMismatchMessage => Mismatched.Count == 0
        ? null
        : $"Error(s) in loading state_dict for {ClassName}:\n"
            + string.Concat(Mismatched.Select(m => $"\tsize mismatch for {m.Name}: copying a param with shape {ShapeMismatch.Size(m.FileShape)} from checkpoint, the shape in current model is {ShapeMismatch.Size(m.ModelShape)}.\n"))
            + "\tYou may consider adding `ignore_mismatched_sizes=True` in the model `from_pretrained` method.";

    private string Table()
    {
        var rows = new List<(string Key, string Status, string Details)> { ("Key", "Status", "") };
        rows.AddRange(KeyPattern.Merge(Unexpected.Order(StringComparer.Ordinal).Select(n => (n, ""))).Select(r => (r.Key, "UNEXPECTED", "")));
        rows.AddRange(KeyPattern.Merge(Missing.Order(StringComparer.Ordinal).Select(n => (n, ""))).Select(r => (r.Key, "MISSING", "")));
        rows.AddRange(KeyPattern.Merge(Mismatched.OrderBy(m => m.Name, StringComparer.Ordinal).Select(m =>
            (m.Name, $"Reinit due to size mismatch - ckpt: {ShapeMismatch.Size(m.FileShape)} vs model:{ShapeMismatch.Size(m.ModelShape)}")))
            .Select(r => (r.Key, "MISMATCH", r.Details)));
        var keyWidth = rows.Max(r => r.Key.Length);
        var statusWidth = rows.Max(r => r.Status.Length);
        var detailsWidth = rows.Max(r => r.Details.Length);
        var lines = rows.Select(r => $"{r.Key.PadRight(keyWidth)} | {r.Status.PadRight(statusWidth)} | {r.Details.PadRight(detailsWidth)}".TrimEnd()).ToList();
        lines.Insert(1, $"{new string('-', keyWidth)}-+-{new string('-', statusWidth)}-+-{new string('-', detailsWidth)}");
        return string.Join("\n", lines);
    }

    private string Notes()
    {
        var text = "\n\nNotes:";
        text += Unexpected.Count > 0 ? "\n- UNEXPECTED:\tcan be ignored when loading from different task/architecture; not ok if you expect identical arch." : "";
        text += Missing.Count > 0 ? "\n- MISSING:\tthose params were newly initialized because missing from the checkpoint. Consider training on your downstream task." : "";
        text += Mismatched.Count > 0 ? "\n- MISMATCH:\tckpt weights were loaded, but they did not match the original empty weight shapes." : "";
        return text;
    }
}
