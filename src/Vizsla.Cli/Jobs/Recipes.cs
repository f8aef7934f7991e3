using Vizsla.Primitives;

namespace Vizsla.Cli.Jobs;

/// <summary>Complete training arguments that come with the program.</summary>
internal static class Recipes
{
    private const string Extension = ".jsonc";

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "recipes");

    /// <summary>Their names, for the help.</summary>
    public static IReadOnlyList<string> Names { get; } = Directory.Exists(Folder)
        ? [.. Directory.EnumerateFiles(Folder, "*" + Extension).Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)]
        : [];

    /// <summary>The path of a file, or of a recipe by its name.</summary>
    /// <exception cref="UsageException">There is neither.</exception>
    public static string Find(string fileOrName)
    {
        if (File.Exists(fileOrName))
        {
            return fileOrName;
        }

        return Names.Contains(fileOrName)
            ? Path.Combine(Folder, fileOrName + Extension)
            : throw new UsageException(
                $"--config '{fileOrName}' is neither a file nor a recipe. Recipes: {string.Join(", ", Names)}.{Suggestion.DidYouMean(fileOrName, Names)}");
    }
}
