namespace Vizsla.Primitives;

/// <summary>What an exception says, for a person who called no method.</summary>
public static class ErrorSentence
{
    /// <summary>The message without the name of a method's parameter, which .NET puts behind it.</summary>
    /// <param name="exception">The exception.</param>
    /// <returns>Its message; of an <see cref="ArgumentException"/> without <c>(Parameter '...')</c>.</returns>
    public static string Of(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return exception is ArgumentException { ParamName: { } name }
            ? exception.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal)
            : exception.Message;
    }
}
