using Vizsla.Hub;
using Vizsla.Testing;
using Vizsla.Transforms;

namespace Vizsla.Tests.Models;

[Collection(nameof(RunAlone))]
public sealed class HubModelTests
{
    private static readonly RepoId Repo = RepoId.Model("user/vit-nano");

    [Fact]
    public async Task A_model_that_was_pushed_comes_back_by_its_name()
    {
        await using var hub = await OwnHub.StartAsync();
        using var folder = new TemporaryFolder();
        using var model = ImageClassifier.Create("vit-nano", ["cat", "dog"], imageSize: 32, seed: 1);
        model.Save(folder.Path);

        await model.PushToHubAsync("vit-nano", isPrivate: true, hub: hub.Client);
        using var loaded = await ImageClassifier.FromPretrainedAsync("user/vit-nano", hub: hub.Make());

        Assert.Equal(["initial commit", "Upload ViTForImageClassification"], await hub.TitlesAsync(Repo));
        Assert.True((await hub.Client.RepoInfoAsync(Repo)).IsPrivate);
        Assert.Equal(("user/vit-nano", true), (loaded.BaseModel, loaded.LoadReport!.IsClean));
        Assert.Equal(["cat", "dog"], loaded.Labels);
        loaded.Save(folder["again"]);
        Assert.Equal(await File.ReadAllBytesAsync(folder["model.safetensors"]), await File.ReadAllBytesAsync(folder["again", "model.safetensors"]));
        Assert.Equal(model.Processor, loaded.Processor);
    }

    [Fact]
    public async Task Another_revision_is_another_model()
    {
        await using var hub = await OwnHub.StartAsync();
        using (var first = ImageClassifier.Create("vit-nano", ["cat", "dog"], imageSize: 32, seed: 1))
        using (var second = ImageClassifier.Create("vit-nano", ["cat", "dog", "fish"], imageSize: 32, seed: 1))
        {
            await first.PushToHubAsync("user/vit-nano", hub: hub.Client);
            await hub.Client.CreateTagAsync(Repo, "v1");
            await second.PushToHubAsync("user/vit-nano", hub: hub.Client);
        }

        var client = hub.Make();
        using var old = await ImageClassifier.FromPretrainedAsync("user/vit-nano", revision: "v1", hub: client);
        using var current = await ImageClassifier.FromPretrainedAsync("user/vit-nano", hub: client);

        Assert.Equal((2, 3), (old.Labels.Count, current.Labels.Count));
    }

    [Fact]
    public async Task Of_several_formats_of_the_weights_one_is_fetched()
    {
        await using var hub = await OwnHub.StartAsync();
        await hub.Client.CreateRepoAsync(Repo);
        await hub.Client.CommitAsync(
            Repo, [.. new[] { "config.json", "model.safetensors", "pytorch_model.bin", "flax_model.msgpack", "README.md", "calibration.json", "checkpoint-1/model.safetensors" }.Select(f => new CommitAdd(f, [65]))], "Add");

        var folder = await PretrainedModels.FetchAsync(hub.Make(), "user/vit-nano");

        Assert.Equal(["calibration.json", "config.json", "model.safetensors"], Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(folder, f)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_processor_goes_and_comes_alone()
    {
        await using var hub = await OwnHub.StartAsync();
        var processor = new ImageProcessor { Size = (96, 96) };

        await processor.PushToHubAsync("user/vit-nano", hub: hub.Client);
        var loaded = await ImageProcessor.FromPretrainedAsync("user/vit-nano", hub: hub.Make());

        Assert.Equal(["initial commit", "Upload processor"], await hub.TitlesAsync(Repo));
        Assert.Equal(new ImageSize(96, 96), loaded.Size);
    }

    [Fact]
    public async Task A_name_that_the_Hub_does_not_have_is_refused_with_it()
    {
        await using var hub = await OwnHub.StartAsync();

        var e = await Assert.ThrowsAsync<HubException>(() => ImageClassifier.FromPretrainedAsync("user/absent", hub: hub.Client));

        Assert.Equal(HubErrorKind.RepositoryNotFound, e.Kind);
        Assert.StartsWith("Could not look up model 'user/absent' at 'main': ", e.Message, StringComparison.Ordinal);
    }
}
