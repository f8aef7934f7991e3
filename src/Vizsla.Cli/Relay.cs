namespace Vizsla.Cli;

/// <summary>Passes progress on at once; <see cref="Progress{T}"/> posts to another thread and may report after the end.</summary>
internal sealed class Relay<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
