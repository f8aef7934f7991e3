#!/usr/bin/env dotnet
#:package Microsoft.ML@5.0.1
#:package Microsoft.ML.OnnxTransformer@5.0.1
#:package Microsoft.ML.OnnxRuntime@1.31.0
#:package Vizsla.Imaging@*-*
#:property PublishAot=false
using Microsoft.ML;
using Microsoft.ML.Data;
using Vizsla.Imaging;

// dotnet run MlNet.cs -- MODEL_WITH_PREPROCESSING.onnx PHOTO...   what 'vizsla export --with_preprocessing' writes, in a pipeline of ML.NET.
if (args.Length < 2)
{
    Console.Error.WriteLine("Usage: dotnet run MlNet.cs -- MODEL_WITH_PREPROCESSING.onnx PHOTO...");
    return 2;
}

var context = new MLContext();
foreach (var file in args[1..])
{
    using var photo = ImageCodec.Load(file);
    int[] shape = [photo.Height, photo.Width, 3];
    var rows = SchemaDefinition.Create(typeof(Photo));
    rows[nameof(Photo.Pixels)].ColumnType = new VectorDataViewType(NumberDataViewType.Byte, shape);
    var data = context.Data.LoadFromEnumerable([new Photo { Pixels = photo.Pixels.ToArray() }], rows);

    // The file resizes, crops and normalizes by itself: pictures of any size go in, each size with a pipeline of its own, since ML.NET fixes shapes.
    var pipeline = context.Transforms.CopyColumns("image", nameof(Photo.Pixels)).Append(context.Transforms.ApplyOnnxModel(
        ["scores", "label"], ["image"], args[0], new Dictionary<string, int[]> { ["image"] = shape }, gpuDeviceId: null, fallbackToCpu: false));
    var answer = context.Data.CreateEnumerable<Answer>(pipeline.Fit(data).Transform(data), reuseRowObject: false).Single();
    Console.WriteLine($"{file}: {answer.Label[0]} ({answer.Scores.Max():0.0000})");
}

return 0;

internal sealed class Photo
{
    public byte[] Pixels { get; set; } = [];
}

internal sealed class Answer
{
    [ColumnName("scores")]
    public float[] Scores { get; set; } = [];

    [ColumnName("label")]
    public string[] Label { get; set; } = [];
}
