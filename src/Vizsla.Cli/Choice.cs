using Vizsla.Primitives;

namespace Vizsla.Cli;

/// <summary>An option whose value is one of a few words.</summary>
internal static class Choice
{
    /// <summary>The value that a word names.</summary>
    /// <param name="option">Name of the option, for the message.</param>
    /// <param name="word">What was given.</param>
    /// <param name="choices">The words and their values.</param>
    /// <exception cref="UsageException">Another word.</exception>
    public static T Parse<T>(string option, string word, params (string Word, T Value)[] choices)
    {
        foreach (var (known, value) in choices)
        {
            if (word == known)
            {
                return value;
            }
        }

        var words = choices.Select(c => c.Word).ToList();
        throw new UsageException($"{option} takes {string.Join(", ", words)}, got '{word}'.{Suggestion.DidYouMean(word, words)}");
    }
}
