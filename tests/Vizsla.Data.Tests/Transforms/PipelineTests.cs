using System.Text.Json.Nodes;
using Vizsla.Imaging;
using Vizsla.Transforms;

namespace Vizsla.Tests.Transforms;

public sealed class PipelineTests
{
    private static readonly Compose Tutorial = Pipelines.Tutorial(new ImageProcessor());

    [Fact]
    public void Pipelines_of_the_same_steps_are_equal()
    {
        var again = Pipelines.Tutorial(new ImageProcessor());

        Assert.Equal(Tutorial, again);
        Assert.Equal(Tutorial.GetHashCode(), again.GetHashCode());
        Assert.NotEqual(Tutorial, Pipelines.TutorialEvaluation(new ImageProcessor()));
        Assert.NotEqual(Tutorial, Pipelines.Tutorial(new ImageProcessor { ImageMean = [0.4, 0.5, 0.5] }));
    }

    [Fact]
    public void A_pipeline_prints_as_one_would_write_it() => Assert.Equal(
        """
        new Compose(
            new Resize((224, 224)),
            new RandomHorizontalFlip(0.4),
            new RandomVerticalFlip(0.1),
            new RandomApply([new RandomRotation((0, 90))]),
            new RandomApply([new ColorJitter(0.3, Hue: 0.1)], 0.3),
            new RandomApply([new GaussianBlur((5, 9))], 0.3),
            new ToDtype(true),
            new Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]))
        """.ReplaceLineEndings("\n"),
        Tutorial.ToString());

    [Fact]
    public void Settings_print_as_an_initializer()
    {
        Assert.Equal("new GaussianBlur((5, 9)) { Sigma = (0.1, 5) }", new GaussianBlur(5, 9) { Sigma = (0.1, 5) }.ToString());
        Assert.Equal("new RandomErasing { Value = EraseValue.Random }", new RandomErasing { Value = EraseValue.Random }.ToString());
        Assert.Equal("new RandomRotation(45, Interpolation.Bilinear, Fill: (1, 2, 3))", new RandomRotation(45, Interpolation.Bilinear, Fill: (1, 2, 3)).ToString());
    }

    [Fact]
    public void A_pipeline_is_a_line_of_Python() => Assert.Equal(
        "v2.Compose([v2.Resize((224, 224)), v2.RandomHorizontalFlip(p=0.4), v2.RandomVerticalFlip(p=0.1), v2.RandomApply([v2.RandomRotation((0, 90))]), "
        + "v2.RandomApply([v2.ColorJitter(brightness=0.3, hue=0.1)], p=0.3), v2.RandomApply([v2.GaussianBlur((5, 9))], p=0.3), "
        + "v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])])",
        Pipeline.ToPython(Tutorial));

    [Fact]
    public void A_pipeline_comes_back_from_its_JSON()
    {
        var json = Pipeline.ToJson(Tutorial).ToJsonString();

        Assert.Contains("""{"transform":"RandomApply","transforms":[{"transform":"RandomRotation","degrees":[0,90]}]}""", json, StringComparison.Ordinal);
        Assert.Equal(Tutorial, Pipeline.FromJson(json));
    }

    [Fact]
    public void A_name_alone_is_a_transform_with_its_defaults() =>
        Assert.Equal(new Compose(new RandomEqualize(), new ToTensor()), Pipeline.FromJson("""["RandomEqualize", "ToTensor"]"""));

    [Fact]
    public void Every_problem_of_a_pipeline_is_reported_at_once()
    {
        var exception = Assert.Throws<TransformException>(() => new Compose(
            new RandomHorizontalFlip(1.5),
            new GaussianBlur(4, 9) { Sigma = 0 },
            new Normalize([0.5, 0.5], [0, 1, 1]),
            new ToTensor(),
            new RandomApply([new RandomRotation(-10)], 0.5),
            new RandomChoice([])));

        Assert.Equal(
            [
                "Step 1, RandomHorizontalFlip: p is 1.5, expected 0 to 1.",
                "Step 2, GaussianBlur: kernel_size is (4, 9); it must be odd and positive.",
                "Step 2, GaussianBlur: sigma is 0; it must be positive, the smaller number first.",
                "Step 3, Normalize: mean has 2 numbers; give one, or one per channel.",
                "Step 3, Normalize: std holds a zero, which would divide by zero.",
                "Step 5, RandomApply: RandomRotation: degrees is -10; a single number stands for -x to x and must not be negative. Give a range (low, high) to say otherwise.",
                "Step 6, RandomChoice: transforms is empty; pass at least one transform.",
                "Step 3, Normalize: works on floats; put ToDtype(Scale: true) or ToTensor before it.",
                "Step 5, RandomApply: works on 8-bit pictures; put it before ToTensor.",
                "Step 6, RandomChoice: works on 8-bit pictures; put it before ToTensor.",
            ],
            exception.Problems);
        Assert.StartsWith("10 problems in the transforms:\n  Step 1,", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pipeline_without_steps_is_refused() =>
        Assert.Equal("A pipeline needs at least one transform.", Assert.Throws<TransformException>(() => new Compose()).Message);

    [Fact]
    public void A_file_holds_a_pipeline_for_training_and_one_for_evaluation()
    {
        var path = Path.Combine(Path.GetTempPath(), $"vizsla-{Guid.NewGuid():N}.json");
        try
        {
            var file = new PipelineFile(Tutorial, Pipelines.TutorialEvaluation(new ImageProcessor()));

            file.Save(path);

            Assert.Equal(file, PipelineFile.Load(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_bare_list_is_the_pipeline_for_training()
    {
        var file = PipelineFile.FromJson(JsonNode.Parse("""[{"transform": "Resize", "size": 64}, {"transform": "ToTensor"}]"""));

        Assert.Equal(new Compose(new Resize(64), new ToTensor()), file.Train);
        Assert.Null(file.Evaluation);
    }

    [Fact]
    public void Every_problem_of_a_file_is_reported_at_once()
    {
        var json = JsonNode.Parse("""
            {
              "train": [
                {"transform": "RandomHorizontalFlipp"},
                {"transform": "RandomRotation", "degrees": "wide"},
                {"transform": "RandomCrop"},
                {"transform": "Resize", "size": 64, "interpolation": "bilinar", "antialiass": true},
                {"transform": "RandomApply", "transforms": [{"transform": "Normalize", "mean": [0.5], "std": [0.5]}]},
                7
              ],
              "eval": [{"transform": "GaussianBlur", "kernel_size": 4}],
              "test": []
            }
            """);

        var problems = Assert.Throws<TransformException>(() => PipelineFile.FromJson(json)).Problems;

        Assert.Equal(9, problems.Count);
        Assert.Equal("Unknown key 'test'. Known: train, eval.", problems[0]);
        Assert.StartsWith("train[0]: unknown transform 'RandomHorizontalFlipp'. Known: AugMix, AutoAugment,", problems[1], StringComparison.Ordinal);
        Assert.EndsWith("Did you mean 'RandomHorizontalFlip'?", problems[1], StringComparison.Ordinal);
        Assert.Equal("train[1], RandomRotation: degrees is \"wide\", expected a number or [low, high].", problems[2]);
        Assert.Equal("train[2], RandomCrop: size is missing; give a whole number or [height, width].", problems[3]);
        Assert.Equal(
            "train[3], Resize: interpolation is \"bilinar\", expected one of \"nearest\", \"lanczos\", \"bilinear\", \"bicubic\", \"box\", \"hamming\", \"nearest-exact\". Did you mean 'bilinear'?",
            problems[4]);
        Assert.Equal("train[3], Resize: unknown parameter 'antialiass'. Known: size, interpolation, max_size, antialias. Did you mean 'antialias'?", problems[5]);
        Assert.Equal("train[4], RandomApply.transforms[0], Normalize: expected a transform of 8-bit pictures, such as RandomRotation.", problems[6]);
        Assert.Equal("train[5]: got 7, expected {\"transform\": name, ...} or a name.", problems[7]);
        Assert.Equal("eval[0], GaussianBlur: kernel_size is 4; it must be odd and positive.", problems[8]);
    }

    [Fact]
    public void Values_that_cannot_be_are_reported_with_their_place() => Assert.Equal(
        ["transforms[1], GaussianBlur: kernel_size is 4; it must be odd and positive."],
        Assert.Throws<TransformException>(() => Pipeline.FromJson("""["ToTensor", {"transform": "GaussianBlur", "kernel_size": 4}]""")).Problems.Take(1));

    [Fact]
    public void The_leading_steps_that_draw_nothing_are_counted()
    {
        Assert.Equal(1, Tutorial.DeterministicPrefix);
        Assert.True(Tutorial.IsRandom);
        Assert.False(Pipelines.TutorialEvaluation(new ImageProcessor()).IsRandom);
        Assert.Equal((3, 224, 224), Tutorial.OutputSize);
        Assert.Null(new Compose(new Resize(64), new ToTensor()).OutputSize);
    }
}
