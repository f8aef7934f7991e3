using Vizsla.Native;
using Vizsla.Testing;

namespace Vizsla.Tests.Native;

[Collection(RunAlone.Name)]
public sealed class ConvolutionSelfTestTests : IDisposable
{
    private static readonly ConvolutionCase Small = new([5, 8, 6, 6], [24, 8, 3, 3], [1, 1], [1, 1], [1, 1], 1, IsChannelsLast: true, IsBfloat16: false, Threads: 1);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private readonly TemporaryFolder _folder = new();

    public ConvolutionSelfTestTests() => ConvolutionVerdict.Folder = _folder["verdicts"];

    [Fact]
    public void A_right_convolution_is_answered_with_a_small_error()
    {
        using var answer = new StringWriter();
        using var threads = new Training.OneThread();

        ConvolutionSelfTest.Answer(new StringReader(System.Text.Json.JsonSerializer.Serialize(Small, ConvolutionJson.Default.ConvolutionCase) + "\n\n"), answer);

        Assert.InRange(double.Parse(answer.ToString(), System.Globalization.CultureInfo.InvariantCulture), 1e-9, ConvolutionCase.Float32Tolerance);
    }

    [Fact]
    public void A_wrong_kernel_is_found()
    {
        using var threads = new Training.OneThread();
        Convolutions.Fault = result => result * KeptFactor();
        try
        {
            Assert.SkipWhen(Convolutions.Way == ConvolutionWay.Products, "skipped: this process computes convolutions without oneDNN");
            Assert.InRange(Small.Measure(), 0.009, 0.011);
        }
        finally
        {
            Convolutions.Fault = null;
        }

        static TorchSharp.torch.Tensor KeptFactor() => TorchSharp.torch.tensor(1.01f);
    }

    [Theory]
    [InlineData("read x; echo 2E-07; read x; echo 0.8; read x; echo '\"NaN\"'", "8->24 3x3 on 5x6x6: 2E-07 right; 0.8 wrong; NaN wrong")]
    [InlineData("read x; echo 2E-07; exit 3", "8->24 3x3 on 5x6x6: 2E-07 right; ended the process with code 3; 2E-07 right")]
    [InlineData("exit 136", "8->24 3x3 on 5x6x6: ended the process with code 136; ended the process with code 136; ended the process with code 136")]
    public void What_another_process_answers_is_taken_with_its_deaths(string script, string expected)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "skipped: the processes of this test are scripts of a Linux shell");

        var findings = ConvolutionSelfTest.Run(["sh", "-c", script], [Small, Small, Small], way: null, Patience);

        Assert.Equal(expected, "8->24 3x3 on 5x6x6: " + string.Join("; ", findings.Select(
            f => f.Failure ?? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{f.Error} {(f.IsRight ? "right" : "wrong")}"))));
    }

    [Fact]
    public void A_process_that_hangs_is_given_up()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "skipped: the process of this test is a script of a Linux shell");

        var findings = ConvolutionSelfTest.Run(["sh", "-c", "tail -f /dev/null"], [Small], way: null, TimeSpan.FromMilliseconds(50));

        Assert.Equal("gave no answer in 0.05 s", Assert.Single(findings).Failure);
    }

    [Fact]
    public void What_is_left_after_several_deaths_is_not_tried()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "skipped: the process of this test is a script of a Linux shell");

        var findings = ConvolutionSelfTest.Run(["sh", "-c", "exit 136"], [.. Enumerable.Repeat(Small, 6)], way: null, Patience);

        Assert.Equal(6, findings.Count);
        Assert.Equal("was not tried after the others failed", findings[^1].Failure);
    }

    [Fact]
    public void A_verdict_is_found_once_and_kept_for_its_threads()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "skipped: the processes of this test are scripts of a Linux shell");
        string[] right = ["sh", "-c", "while read x; do echo 1E-07; done"];
        string[] wrong = ["sh", "-c", "while read x; do echo 0.7; done"];

        Assert.True(ConvolutionVerdict.IsRight(command: null, threads: 3));
        Assert.False(ConvolutionVerdict.IsRight(wrong, threads: 3));
        Assert.False(ConvolutionVerdict.IsRight(right, threads: 3));
        Assert.False(ConvolutionVerdict.IsRight(command: null, threads: 3));
        Assert.True(ConvolutionVerdict.IsRight(right, threads: 5));
        Assert.True(ConvolutionVerdict.IsRight(wrong, threads: 5));
    }

    [Fact]
    public void The_convolutions_of_a_network_are_tested_in_its_own_process_where_there_is_no_other()
    {
        using var threads = new Training.OneThread();
        Assert.SkipWhen(Convolutions.Way == ConvolutionWay.Products, "skipped: this process computes convolutions without oneDNN");
        var other = Small with { Stride = [2, 2] };

        Assert.True(ConvolutionVerdict.IsRight([Small]));
        Convolutions.Fault = result => result.roll(1, 1);
        try
        {
            Assert.True(ConvolutionVerdict.IsRight([Small]));
            Assert.False(ConvolutionVerdict.IsRight([Small, other]));
        }
        finally
        {
            Convolutions.Fault = null;
        }

        Assert.False(ConvolutionVerdict.IsRight([Small, other]));
    }

    [Theory]
    [InlineData("8->24 3x3 on 5x6x6, channels last, fp32, 1 thread", 1, 1, 1, 1)]
    [InlineData("8->24 3x3 stride 2 on 5x6x6, channels last, fp32, 1 thread", 2, 2, 1, 1)]
    [InlineData("8->24 3x3 stride 2x1 padding 0 dilation 2 on 5x6x6, channels last, fp32, 1 thread", 2, 1, 0, 2)]
    public void A_convolution_is_named_by_all_that_makes_it_another(string expected, int down, int across, int padding, int dilation)
    {
        var one = Small with { Stride = [down, across], Padding = [padding, padding], Dilation = [dilation, dilation] };

        Assert.Equal(expected, one.ToString());
    }

    public void Dispose()
    {
        ConvolutionVerdict.Folder = null;
        _folder.Dispose();
    }
}
