using Vizsla.Primitives;

namespace Vizsla.Tests.Primitives;

public sealed class ErrorSentenceTests
{
    [Fact]
    public void The_name_of_a_parameter_is_left_out() =>
        Assert.Equal("The side is 0, expected at least 1.", ErrorSentence.Of(new ArgumentException("The side is 0, expected at least 1.", "side")));

    [Fact]
    public void Other_messages_stay_as_they_are() => Assert.Equal("The disk is full.", ErrorSentence.Of(new IOException("The disk is full.")));
}
