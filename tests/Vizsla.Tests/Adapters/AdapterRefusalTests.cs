using Vizsla.Adapters;
using Vizsla.Models;
using Vizsla.Tests.Training;

namespace Vizsla.Tests.Adapters;

/// <summary>What cannot be adapted, read or merged is refused in one sentence, and the model stays as it was.</summary>
[Collection(TrainsAlone.Name)]
public sealed class AdapterRefusalTests
{
    [Fact]
    public void An_unknown_target_is_answered_with_the_names_that_there_are() => Refused(
        new LoraConfig { TargetModules = ["qery"] },
        "target_modules: 'qery' is not a layer of ViTForImageClassification. It has query, projection, key, value, dense, classifier.");

    [Fact]
    public void A_pattern_that_matches_nothing_is_refused() => Refused(
        new LoraConfig { TargetPattern = "decoder.*" },
        "target_modules: no linear layer or convolution of ViTForImageClassification matches 'decoder.*'. It has projection, query, key, value, dense, classifier.");

    [Fact]
    public void No_target_is_refused() => Refused(
        new LoraConfig(),
        "target_modules is empty: name the layers of ViTForImageClassification that get an adapter. It has projection, query, key, value, dense, classifier.");

    [Fact]
    public void A_rank_of_nothing_is_refused() => Refused(
        new LoraConfig { R = 0, TargetModules = ["query"] }, "'adapter_config.json': \"r\" is 0, expected a rank of at least 1.");

    [Fact]
    public void A_rank_above_the_layer_is_refused() => Refused(
        new LoraConfig { R = 25, TargetModules = ["query"] },
        "The rank 25 is above the size of 'vit.encoder.layer.0.attention.attention.query', 24x24; give a smaller r, or leave this layer out of target_modules.");

    [Fact]
    public void A_norm_is_refused() => Refused(
        new LoraConfig { R = 2, TargetModules = ["layernorm_before"] },
        "target_modules: 'vit.encoder.layer.0.layernorm_before' of ViTForImageClassification is neither a linear layer nor a convolution; only those can be adapted. It has projection, query, key, value, dense, classifier.");

    [Fact]
    public void A_module_to_save_that_is_not_there_is_refused() => Refused(
        new LoraConfig { R = 2, TargetModules = ["query"], ModulesToSave = ["clasifier"] },
        "modules_to_save: 'clasifier' is not a module of ViTForImageClassification. It has classifier, vit, embeddings, encoder, layernorm, patch_embeddings, projection, layer, ....");

    [Fact]
    public void A_pattern_that_is_none_is_refused() => Refused(
        new LoraConfig { R = 2, TargetPattern = "(" },
        "'^(?:()\\z' of the adapter's configuration cannot be used as a regular expression: Invalid pattern '^(?:()\\z' at offset 8. Not enough )'s.");

    [Fact]
    public void A_second_adapter_is_refused()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        model.AddAdapter(new LoraConfig { R = 2, TargetModules = ["query"] });

        var error = Assert.Throws<ModelLoadException>(() => model.AddAdapter(new LoraConfig { R = 2, TargetModules = ["value"] }));

        Assert.Equal("The model has an adapter already: merge it first, or start from the base model.", error.Message);
    }

    [Theory]
    [InlineData("mobilenetv2_100", "conv_dw", 4, "'blocks.0.0.conv_dw' is a convolution of 32 groups, which do not divide the rank 4; give an r that they divide, or leave this layer out of target_modules.")]
    public void Groups_that_do_not_divide_the_rank_are_refused(string architecture, string target, int rank, string message)
    {
        using var network = Architectures.Build(Architectures.Variant(architecture));

        var error = Assert.Throws<ModelLoadException>(() => AdapterPlan.Of(network, new LoraConfig { R = rank, TargetModules = [target] }));

        Assert.Equal(message, error.Message);
    }

    [Fact]
    public void Merging_into_several_groups_is_refused_and_changes_nothing()
    {
        using var network = Architectures.Build(Architectures.Variant("resnext50_32x4d"));
        var adapter = NetworkAdapter.Attach(network, AdapterPlan.Of(network, new LoraConfig { R = 32, TargetModules = ["layer1.0.conv2"] }), AdapterSpelling.Transformers4);

        var error = Assert.Throws<ModelLoadException>(adapter.Merge);

        Assert.Equal("The adapter of 'layer1.0.conv2' cannot be merged: the layer is a convolution of several groups, which PEFT does not merge either. Use the adapter as it is.", error.Message);
    }

    [Theory]
    [InlineData("\"peft_type\": \"LORA\"", "\"peft_type\": \"ADALORA\"", "'{0}' is an adapter of the kind ADALORA, which is not read; LORA (with DoRA) and IA3 are. Merge it in Python, and take the merged model.")]
    [InlineData("\"use_qalora\": false", "\"use_qalora\": true", "'{0}': \"use_qalora\" is true, expected nothing: this kind of LoRA is not read. Merge it in Python, and take the merged model.")]
    [InlineData("\"r\": 2", "\"r\": \"two\"", "'{0}': \"r\" is \"two\", expected a whole number.")]
    [InlineData("\"init_lora_weights\": true", "\"init_lora_weights\": \"pissa\"", "'{0}': \"init_lora_weights\" is \"pissa\", expected true, false or \"gaussian\", for others change the base model. Merge it in Python, and take the merged model.")]
    public void A_configuration_that_is_not_read_is_refused(string from, string to, string message)
    {
        using var run = new TinyRun();
        var path = Written(run);
        var text = File.ReadAllText(path);
        Assert.Contains(from, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(from, to, StringComparison.Ordinal));

        var error = Assert.Throws<ModelLoadException>(() => ImageClassifier.FromPretrained(run.Output("adapter")));

        Assert.Equal(string.Format(null, message, path), error.Message);
    }

    [Fact]
    public void A_base_of_another_size_is_refused_with_the_tensors_name()
    {
        using var run = new TinyRun();
        _ = Written(run);
        using var other = ImageClassifier.Create("vit-nano", ["falling", "level", "rising"], 16);
        other.Save(run.Output("other"));

        var error = Assert.Throws<ModelLoadException>(() => ImageClassifier.FromPretrained(run.Output("adapter"), baseModel: run.Output("other")));

        Assert.Equal(
            $"'{run.Output("adapter/adapter_model.safetensors")}' does not fit ViTForImageClassification: 'base_model.model.vit.encoder.layer.0.attention.attention.query.lora_A.weight' is [2, 24], expected [2, 96]. Give the base model that the adapter was trained on.",
            error.Message);
    }

    [Fact]
    public void A_base_that_is_gone_is_refused()
    {
        using var run = new TinyRun();
        _ = Written(run);
        Directory.Move(run.Output("base"), run.Output("elsewhere"));

        var error = Assert.Throws<ModelLoadException>(() => ImageClassifier.FromPretrained(run.Output("adapter")));

        Assert.Equal(
            $"The base model of the adapter '{run.Output("adapter")}' was not found. There is no folder '{run.Output("base")}'. Give its location with --base_model (baseModel).",
            error.Message);
    }

    [Fact]
    public void An_adapter_on_an_adapter_is_refused()
    {
        using var run = new TinyRun();
        _ = Written(run);

        var error = Assert.Throws<ModelLoadException>(() => ImageClassifier.FromPretrained(run.Output("adapter"), baseModel: run.Output("adapter")));

        Assert.Equal(
            $"The base model '{run.Output("adapter")}' of the adapter '{run.Output("adapter")}' is an adapter itself; an adapter on an adapter is not read. Merge the first into its base, and give the result with --base_model (baseModel).",
            error.Message);
    }

    private static string Written(TinyRun run)
    {
        using var drawn = run.Model();
        drawn.Save(run.Output("base"));
        using var model = ImageClassifier.FromPretrained(run.Output("base"));
        model.AddAdapter(new LoraConfig { R = 2, TargetModules = ["query"] });
        model.Save(run.Output("adapter"));
        return run.Output("adapter/adapter_config.json");
    }

    private static void Refused(AdapterConfig config, string message)
    {
        using var run = new TinyRun();
        using var model = run.Model();

        var error = Assert.Throws<ModelLoadException>(() => model.AddAdapter(config));

        Assert.Equal(message, error.Message);
        Assert.Null(model.Adapter);
    }
}
