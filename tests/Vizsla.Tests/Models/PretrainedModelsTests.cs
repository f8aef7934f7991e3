using Vizsla.Testing;

namespace Vizsla.Tests.Models;

public sealed class PretrainedModelsTests
{
    [Theory]
    [InlineData("google/vit-base-patch16-224", "google/vit-base-patch16-224")]
    [InlineData("timm/resnet50.tv_in1k", "timm/resnet50.tv_in1k")]
    [InlineData("timm/resnet50", "timm/resnet50.a1_in1k")]
    [InlineData("resnet50", "timm/resnet50.a1_in1k")]
    [InlineData("resnet50.tv_in1k", "timm/resnet50.tv_in1k")]
    [InlineData("vit-tiny", null)]
    [InlineData("no such model", null)]
    public void A_name_stands_for_a_repository_or_for_none(string name, string? repository) => Assert.Equal(repository, PretrainedModels.RepositoryOf(name));

    [Fact]
    public void A_folder_is_no_repository_whatever_it_is_called()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["resnet50"]);

        Assert.Null(PretrainedModels.RepositoryOf(folder["resnet50"]));
    }
}
