namespace Vizsla.Studio.Predictions;

/// <summary>A model that is served: its name in addresses, and how to open it.</summary>
/// <param name="Name">Letters, digits, '.', '-' and '_'.</param>
/// <param name="Open">Loads the model; slow.</param>
internal sealed record ModelEntry(string Name, Func<PictureModel> Open)
{
    /// <summary>Makes a name fit for an address: the last part of a path or Hub name, other characters as '-'.</summary>
    public static string NameOf(string nameOrFolder)
    {
        var last = Path.TrimEndingDirectorySeparator(nameOrFolder.Replace('\\', '/')).Split('/')[^1];
        var name = string.Concat(last.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '-')).Trim('.');
        return name.Length > 0 ? name : "model";
    }
}
