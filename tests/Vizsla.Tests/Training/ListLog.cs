using Microsoft.Extensions.Logging;

namespace Vizsla.Tests.Training;

/// <summary>Keeps what a trainer logs.</summary>
internal sealed class ListLog : ILogger, IDisposable
{
    public List<string> Lines { get; } = [];

    /// <summary>Without what a machine that hides its caches says once a process about its convolutions, in whichever test comes first.</summary>
    public IEnumerable<string> LinesOfTheRun => Lines.Where(line => !line.StartsWith("Convolutions are computed by ", StringComparison.Ordinal));

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Add(formatter(state, exception));

    public void Dispose()
    {
    }
}
