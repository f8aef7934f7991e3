using Microsoft.Extensions.Logging;
using Spectre.Console;

namespace Vizsla.Cli;

/// <summary>Log lines on the console's error side, one line each.</summary>
internal sealed class ConsoleLog(CommandConsole console) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new Lines(console);

    public void Dispose()
    {
    }

    private sealed class Lines(CommandConsole console) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel is not LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var text = formatter(state, exception);
            lock (console)
            {
                var line = exception is null ? text : $"{text} {exception.GetType().Name}: {exception.Message}";
                if (console.Interactive)
                {
                    // By way of the library, which puts it above a bar that is being redrawn.
                    console.Error.WriteLine(line);
                }
                else
                {
                    console.Note(line);
                }
            }
        }
    }
}
