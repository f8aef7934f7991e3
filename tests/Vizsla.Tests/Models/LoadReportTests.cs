using Vizsla.Models.Weights;

namespace Vizsla.Tests.Models;

/// <summary>The messages of transformers, whole.</summary>
public sealed class LoadReportTests
{
    private static readonly LoadReport _replacedHead = new(
        "ViTForImageClassification", "google/vit", [], ["pooler.dense.weight", "pooler.dense.bias"],
        [new("classifier.weight", [1000, 768], [3, 768]), new("classifier.bias", [1000], [3])]);

    [Fact]
    public void A_replaced_head_reads_as_in_transformers_5()
    {
        Assert.Equal(
            """
            ViTForImageClassification LOAD REPORT from: google/vit
            Key                 | Status     |
            --------------------+------------+------------------------------------------------------------------------------------------
            pooler.dense.bias   | UNEXPECTED |
            pooler.dense.weight | UNEXPECTED |
            classifier.bias     | MISMATCH   | Reinit due to size mismatch - ckpt: torch.Size([1000]) vs model:torch.Size([3])
            classifier.weight   | MISMATCH   | Reinit due to size mismatch - ckpt: torch.Size([1000, 768]) vs model:torch.Size([3, 768])

            Notes:
            - UNEXPECTED:	can be ignored when loading from different task/architecture; not ok if you expect identical arch.
            - MISMATCH:	ckpt weights were loaded, but they did not match the original empty weight shapes.
            """.ReplaceLineEndings("\n"),
            _replacedHead.Message);
    }

    [Fact]
    public void A_replaced_head_reads_as_in_transformers_4()
    {
        Assert.Equal(
            """
            Some weights of ViTForImageClassification were not initialized from the model checkpoint at google/vit and are newly initialized because the shapes did not match:
            - classifier.bias: found shape torch.Size([1000]) in the checkpoint and torch.Size([3]) in the model instantiated
            - classifier.weight: found shape torch.Size([1000, 768]) in the checkpoint and torch.Size([3, 768]) in the model instantiated
            You should probably TRAIN this model on a down-stream task to be able to use it for predictions and inference.
            """.ReplaceLineEndings("\n"),
            _replacedHead.NewlyInitializedMessage);
    }

    [Fact]
    public void A_missing_head_reads_as_in_transformers_4()
    {
        var report = new LoadReport("ViTForImageClassification", "google/vit", ["classifier.weight", "classifier.bias"], [], []);

        Assert.Equal(
            """
            Some weights of ViTForImageClassification were not initialized from the model checkpoint at google/vit and are newly initialized: ['classifier.bias', 'classifier.weight']
            You should probably TRAIN this model on a down-stream task to be able to use it for predictions and inference.
            """.ReplaceLineEndings("\n"),
            report.NewlyInitializedMessage);
    }

    [Fact]
    public void A_forbidden_replacement_reads_as_in_torch()
    {
        Assert.Equal(
            "Error(s) in loading state_dict for ViTForImageClassification:\n"
            + "\tsize mismatch for classifier.weight: copying a param with shape torch.Size([1000, 768]) from checkpoint, the shape in current model is torch.Size([3, 768]).\n"
            + "\tsize mismatch for classifier.bias: copying a param with shape torch.Size([1000]) from checkpoint, the shape in current model is torch.Size([3]).\n"
            + "\tYou may consider adding `ignore_mismatched_sizes=True` in the model `from_pretrained` method.",
            _replacedHead.SizeMismatchMessage);
    }

    [Theory]
    [InlineData(2, "vit.encoder.layer.{0, 1}.output.dense.bias")]
    [InlineData(10, "vit.encoder.layer.{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}.output.dense.bias")]
    [InlineData(12, "vit.encoder.layer.{0...11}.output.dense.bias")]
    public void Layers_that_differ_only_in_their_number_stand_in_one_line(int count, string expected)
    {
        var names = Enumerable.Range(0, count).Select(i => $"vit.encoder.layer.{i}.output.dense.bias").ToList();

        var message = new LoadReport("ViTForImageClassification", "x", names, [], []).Message!;

        Assert.Equal($"{expected} | MISSING |", message.Split('\n')[3]);
    }

    [Fact]
    public void Nothing_to_say_says_nothing()
    {
        var report = new LoadReport("ViTForImageClassification", "x", [], [], []);

        Assert.True(report.IsClean);
        Assert.Null(report.Message);
        Assert.Null(report.NewlyInitializedMessage);
        Assert.Null(report.SizeMismatchMessage);
    }
}
